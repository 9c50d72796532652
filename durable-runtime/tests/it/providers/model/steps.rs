//! What can happen to a store, drawn by chance. Things are named by small numbers, which mean something whatever is
//! left of a case when it is made smaller.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// One step of a case.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Commit {
        fence: Fence,
        ops: Vec<Op>,
    },
    /// An earlier transaction once more, under its id.
    Repeat(usize),
    FetchTurns {
        owner: usize,
        max: usize,
        ttl: u64,
        instance: Option<usize>,
        skills: Option<usize>,
    },
    /// What a worker with these skills does not take.
    PassedOver {
        skills: usize,
        limit: usize,
    },
    FetchActivities {
        owner: usize,
        max: usize,
        ttl: u64,
        topics: usize,
        tags: usize,
        session: Option<u64>,
    },
    Renew {
        leases: Vec<usize>,
        ttl: u64,
    },
    /// Milliseconds.
    Advance(u64),
    /// A page of instances: a label, a kind of filter and the label it is about.
    List {
        after: Option<usize>,
        limit: usize,
        label: Option<(usize, usize)>,
        filter: Option<(usize, usize)>,
    },
    /// All that can be seen of an instance besides: what waits, executions, keys and values.
    Look {
        instance: usize,
        limit: usize,
        prefix: usize,
        after: Option<usize>,
    },
    Restart,
}

/// Under which lease: one that was granted earlier, counted from the newest, as it is or with a lie in it.
#[derive(Debug, Clone)]
pub(super) enum Fence {
    None,
    Of(usize),
    Forged(usize, Lie),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Lie {
    Fence,
    Execution,
    Time,
    Instance,
}

#[derive(Debug, Clone)]
pub(super) enum Op {
    /// The next execution, or one so far off.
    Create(usize, i64),
    /// To the newest execution or one so far before; at its end, or so far off it.
    Append {
        instance: usize,
        back: u64,
        off: i64,
        events: Vec<usize>,
    },
    Send {
        instance: usize,
        id: usize,
        topic: usize,
        later: Option<i64>,
        size: usize,
    },
    /// The lane: topic, tag, session.
    Schedule {
        instance: usize,
        id: usize,
        lane: (usize, usize, usize),
        later: Option<i64>,
        size: usize,
    },
    Ack {
        instance: usize,
        ids: Vec<usize>,
    },
    AckWork(Fence),
    RetryWork {
        lease: Fence,
        delay: u64,
        size: usize,
    },
    ReleaseWork {
        lease: Fence,
        delay: Option<u64>,
        give_back: bool,
    },
    CancelTurns(usize, Vec<usize>),
    CancelActivities(usize, Vec<usize>),
    Put {
        instance: usize,
        key: usize,
        size: Option<usize>,
    },
    PutKv {
        instance: usize,
        key: usize,
        size: Option<usize>,
    },
    Label {
        instance: usize,
        name: usize,
        value: Option<usize>,
    },
    /// One so far before the newest.
    DeleteExecution(usize, u64),
    Delete(usize),
    Release(Option<u64>, bool),
}

impl Op {
    /// Whose histories it may change.
    pub(super) fn history(&self) -> Option<usize> {
        match self {
            Self::Create(instance, _)
            | Self::Append { instance, .. }
            | Self::Delete(instance)
            | Self::DeleteExecution(instance, _) => Some(*instance),
            _ => None,
        }
    }
}

const INSTANCES: std::ops::Range<usize> = 0..4;
const IDS: std::ops::Range<usize> = 0..5;

fn seconds(of: &'static [u64]) -> impl Strategy<Value = u64> {
    select(of).prop_map(|seconds| seconds * 1_000)
}

fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 0..40_usize, 1 => Just(5_000), 1 => Just(20_000)]
}

fn later() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![4 => Just(None), 3 => select(&[-5_000_i64, 0, 1_000, 5_000, 40_000][..]).prop_map(Some)]
}

fn off() -> impl Strategy<Value = i64> {
    prop_oneof![9 => Just(0), 1 => -2..3_i64]
}

/// A lease that was granted earlier, the newest most often.
fn fence() -> impl Strategy<Value = Fence> {
    let of = prop_oneof![5 => Just(0), 3 => 0..3_usize, 1 => 0..20_usize];
    let lie = select(&[Lie::Fence, Lie::Execution, Lie::Time, Lie::Instance][..]);
    prop_oneof![8 => of.clone().prop_map(Fence::Of), 1 => (of, lie).prop_map(|(of, lie)| Fence::Forged(of, lie))]
}

fn op() -> impl Strategy<Value = Op> {
    let ids = || vec(IDS, 0..4);
    prop_oneof![
        4 => (INSTANCES, off()).prop_map(|(instance, off)| Op::Create(instance, off)),
        5 => (INSTANCES, prop_oneof![6 => Just(0), 1 => 0..3_u64], off(), vec(sizes(), 0..4))
            .prop_map(|(instance, back, off, events)| Op::Append { instance, back, off, events }),
        6 => (INSTANCES, IDS, prop_oneof![4 => Just(0), 1 => 1..3_usize], later(), sizes())
            .prop_map(|(instance, id, topic, later, size)| Op::Send { instance, id, topic, later, size }),
        5 => (INSTANCES, IDS, (0..3_usize, 0..3_usize, prop_oneof![2 => Just(0), 1 => 1..3_usize]), later(), sizes())
            .prop_map(|(instance, id, lane, later, size)| Op::Schedule { instance, id, lane, later, size }),
        4 => (INSTANCES, ids()).prop_map(|(instance, ids)| Op::Ack { instance, ids }),
        3 => fence().prop_map(Op::AckWork),
        3 => (fence(), seconds(&[0, 5, 20]), sizes())
            .prop_map(|(lease, delay, size)| Op::RetryWork { lease, delay, size }),
        1 => (INSTANCES, ids()).prop_map(|(instance, ids)| Op::CancelTurns(instance, ids)),
        1 => (INSTANCES, ids()).prop_map(|(instance, ids)| Op::CancelActivities(instance, ids)),
        3 => (INSTANCES, 0..3_usize, proptest::option::weighted(0.8, sizes()))
            .prop_map(|(instance, key, size)| Op::Put { instance, key, size }),
        2 => (INSTANCES, 0..2_usize, proptest::option::weighted(0.8, 0..2_usize))
            .prop_map(|(instance, name, value)| Op::Label { instance, name, value }),
        1 => INSTANCES.prop_map(Op::Delete),
        4 => (proptest::option::weighted(0.4, seconds(&[0, 5, 20])), any::<bool>())
            .prop_map(|(delay, give_back)| Op::Release(delay, give_back)),
        2 => (fence(), proptest::option::of(seconds(&[0, 5])), any::<bool>())
            .prop_map(|(lease, delay, give_back)| Op::ReleaseWork { lease, delay, give_back }),
        2 => (INSTANCES, 0..4_usize, proptest::option::weighted(0.7, sizes()))
            .prop_map(|(instance, key, size)| Op::PutKv { instance, key, size }),
        1 => (INSTANCES, 0..3_u64).prop_map(|(instance, back)| Op::DeleteExecution(instance, back)),
    ]
}

fn step(restarts: u32) -> impl Strategy<Value = Step> {
    let fence = prop_oneof![3 => Just(Fence::None), 4 => fence()];
    let ttl = || seconds(&[5, 30, 30, 60]);
    prop_oneof![
        12 => (fence, vec(op(), 0..5)).prop_map(|(fence, ops)| Step::Commit { fence, ops }),
        2 => (0..20_usize).prop_map(Step::Repeat),
        5 => (0..2_usize, 0..4_usize, ttl(), proptest::option::weighted(0.4, INSTANCES),
            proptest::option::weighted(0.5, 0..8_usize))
            .prop_map(|(owner, max, ttl, instance, skills)| Step::FetchTurns { owner, max, ttl, instance, skills }),
        1 => (0..8_usize, 0..4_usize).prop_map(|(skills, limit)| Step::PassedOver { skills, limit }),
        4 => ((0..2_usize, 0..4_usize), ttl(), (0..4_usize, 0..4_usize), proptest::option::of(seconds(&[0, 10, 40])))
            .prop_map(|((owner, max), ttl, (topics, tags), session)| {
                Step::FetchActivities { owner, max, ttl, topics, tags, session }
            }),
        2 => (vec(0..6_usize, 0..4), ttl()).prop_map(|(leases, ttl)| Step::Renew { leases, ttl }),
        4 => select(&[1_u64, 1_000, 4_999, 5_000, 20_000, 29_999, 30_000, 60_000][..]).prop_map(Step::Advance),
        1 => (proptest::option::of(INSTANCES), 1..4_usize, proptest::option::of((0..2_usize, 0..2_usize)),
            proptest::option::of((0..6_usize, 0..2_usize)))
            .prop_map(|(after, limit, label, filter)| Step::List { after, limit, label, filter }),
        2 => (INSTANCES, 1..9_usize, 0..3_usize, proptest::option::of(0..4_usize))
            .prop_map(|(instance, limit, prefix, after)| Step::Look { instance, limit, prefix, after }),
        restarts => Just(Step::Restart),
    ]
}

/// 1 to 200 steps, most often some dozens. In one case of twenty the store is opened again now and then.
pub(super) fn case() -> impl Strategy<Value = Vec<Step>> {
    let of = |restarts| {
        // From one on each: what fails is made as short as it can be.
        let steps = |most| vec(step(restarts), 1..=most);
        prop_oneof![10 => steps(40), 4 => steps(80), 1 => steps(200)]
    };
    prop_oneof![19 => of(0), 1 => of(2)]
}
