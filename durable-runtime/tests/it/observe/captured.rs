//! Everything that is logged in this process, as lines of text: a subscriber at level TRACE.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::{Mutex, Once};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// A span that is open: its name and fields, and how many hold it.
struct Open {
    text: String,
    holders: usize,
}

#[derive(Default)]
struct Kept {
    lines: Vec<String>,
    spans: BTreeMap<u64, Open>,
    ids: u64,
}

static KEPT: Mutex<Kept> = Mutex::new(Kept { lines: Vec::new(), spans: BTreeMap::new(), ids: 0 });

thread_local! {
    static INSIDE: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

struct Capture;

/// From now on all lines are kept, of the whole process.
pub(super) fn begin() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Capture).unwrap());
}

/// The lines with this text in them.
pub(super) fn lines(with: &str) -> Vec<String> {
    KEPT.lock().unwrap().lines.iter().filter(|line| line.contains(with)).cloned().collect()
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, " {field}={value}").unwrap();
    }
}

impl Subscriber for Capture {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = format!(" [{}", span.metadata().name());
        span.record(&mut Fields(&mut text));
        let mut kept = KEPT.lock().unwrap();
        kept.ids += 1;
        let id = kept.ids;
        kept.lines.push(format!("span{text}"));
        kept.spans.insert(id, Open { text, holders: 1 });
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut kept = KEPT.lock().unwrap();
        let open = kept.spans.get_mut(&span.into_u64()).unwrap();
        values.record(&mut Fields(&mut open.text));
        let line = format!("span{}", open.text);
        kept.lines.push(line);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = format!("{} {}", event.metadata().level(), event.metadata().target());
        event.record(&mut Fields(&mut line));
        let mut kept = KEPT.lock().unwrap();
        INSIDE.with_borrow(|inside| inside.iter().for_each(|id| line.push_str(&kept.spans[id].text)));
        kept.lines.push(line);
    }

    fn enter(&self, span: &Id) {
        INSIDE.with_borrow_mut(|inside| inside.push(span.into_u64()));
    }

    fn exit(&self, span: &Id) {
        INSIDE.with_borrow_mut(|inside| {
            let last = inside.iter().rposition(|id| *id == span.into_u64()).unwrap();
            inside.remove(last);
        });
    }

    fn clone_span(&self, span: &Id) -> Id {
        KEPT.lock().unwrap().spans.get_mut(&span.into_u64()).unwrap().holders += 1;
        span.clone()
    }

    fn try_close(&self, span: Id) -> bool {
        let mut kept = KEPT.lock().unwrap();
        let open = kept.spans.get_mut(&span.into_u64()).unwrap();
        open.holders -= 1;
        if open.holders > 0 {
            return false;
        }
        kept.spans.remove(&span.into_u64());
        true
    }
}
