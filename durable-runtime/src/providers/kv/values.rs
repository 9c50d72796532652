//! What stands inside the envelopes: numbers big-endian, byte strings behind their length.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};

use super::index::MessageKey;
use super::keys;
use super::record::{self, Damage, Kind, Place};
use crate::clock::Timestamp;
use crate::ids::{ExecutionId, InstanceId};
use crate::providers::InstanceRecord;

const TAGGED: u8 = 1;
const IN_SESSION: u8 = 2;

/// A message, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MessageValue {
    pub(super) sequence: u64,
    pub(super) visible_at: Timestamp,
    pub(super) execution_id: ExecutionId,
    pub(super) attempt: u32,
    pub(super) topic: String,
    pub(super) tag: Option<String>,
    pub(super) session: Option<String>,
    pub(super) data: Bytes,
}

impl MessageValue {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.topic.len() + self.data.len());
        out.extend(self.sequence.to_be_bytes());
        out.extend(self.visible_at.as_millis().to_be_bytes());
        out.extend(self.execution_id.0.to_be_bytes());
        out.extend(self.attempt.to_be_bytes());
        put(&mut out, self.topic.as_bytes());
        out.push(u8::from(self.tag.is_some()) * TAGGED + u8::from(self.session.is_some()) * IN_SESSION);
        put(&mut out, self.tag.as_deref().unwrap_or_default().as_bytes());
        self.session.iter().for_each(|session| put(&mut out, session.as_bytes()));
        out.extend(&self.data);
        out
    }

    pub(super) fn decode(mut from: Bytes) -> Result<Self, Damage> {
        let sequence = number(&mut from)?;
        let visible_at = Timestamp::from_millis(number(&mut from)?);
        let execution_id = ExecutionId(number(&mut from)?);
        let attempt = from.try_get_u32().map_err(|_| Damage::Content)?;
        let topic = text(&mut from)?;
        let flags = from.try_get_u8().map_err(|_| Damage::Content)?;
        let tag = Some(text(&mut from)?).filter(|_| flags & TAGGED != 0);
        let session = if flags & IN_SESSION == 0 { None } else { Some(text(&mut from)?) };
        Ok(Self { sequence, visible_at, execution_id, attempt, topic, tag, session, data: from })
    }
}

/// The key and the value that say how often a message was handed out.
pub(super) fn count(of: &MessageKey, attempt: u32) -> (Vec<u8>, Vec<u8>) {
    let key = keys::attempts(&keys::message(of.kind, &of.instance, &of.id));
    let place = Place { kind: Kind::Attempts, owner: Some(&of.instance), key: &key };
    let value = record::seal(place, 0, &attempt.to_be_bytes());
    (key, value)
}

/// How often a message was handed out.
pub(super) fn decode_count(of: &MessageKey, value: Bytes) -> Result<u32, Damage> {
    let key = keys::attempts(&keys::message(of.kind, &of.instance, &of.id));
    let place = Place { kind: Kind::Attempts, owner: Some(&of.instance), key: &key };
    let (_, mut body) = record::open(place, value)?;
    body.try_get_u32().map_err(|_| Damage::Content)
}

/// Events packed into one value, in order.
pub(super) fn encode_events(events: &[Bytes]) -> Vec<u8> {
    let mut out = Vec::with_capacity(events.iter().map(|event| event.len() + 4).sum());
    events.iter().for_each(|event| put(&mut out, event));
    out
}

/// The events of one value. None is copied.
pub(super) fn decode_events(mut from: Bytes) -> Result<Vec<Bytes>, Damage> {
    let mut events = Vec::new();
    while !from.is_empty() {
        events.push(bytes(&mut from)?);
    }
    Ok(events)
}

/// The record of an instance. Execution and revision come first, so that they can be read alone.
pub(super) fn encode_instance(record: &InstanceRecord) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(record.execution_id.0.to_be_bytes());
    out.extend(record.revision.to_be_bytes());
    out.extend((record.metadata.len() as u64).to_be_bytes());
    for (key, value) in &record.metadata {
        put(&mut out, key.as_bytes());
        put(&mut out, value);
    }
    for (key, value) in &record.labels {
        put(&mut out, key.as_bytes());
        put(&mut out, value.as_bytes());
    }
    out
}

/// The record of an instance, by what is kept under its key.
pub(super) fn decode_instance(instance: &InstanceId, mut from: Bytes) -> Result<InstanceRecord, Damage> {
    let execution_id = ExecutionId(number(&mut from)?);
    let revision = number(&mut from)?;
    let mut metadata = BTreeMap::new();
    for _ in 0..number(&mut from)? {
        metadata.insert(text(&mut from)?, bytes(&mut from)?);
    }
    let mut labels = BTreeMap::new();
    while !from.is_empty() {
        labels.insert(text(&mut from)?, text(&mut from)?);
    }
    Ok(InstanceRecord { instance: instance.clone(), execution_id, revision, metadata, labels })
}

/// A number.
pub(super) fn number(from: &mut Bytes) -> Result<u64, Damage> {
    from.try_get_u64().map_err(|_| Damage::Content)
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    // Limits are far below 4 GiB; a longer value would be cut by `u32::MAX` and caught when it is read.
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(bytes);
}

fn bytes(from: &mut Bytes) -> Result<Bytes, Damage> {
    let length = from.try_get_u32().map_err(|_| Damage::Content)? as usize;
    if length > from.len() {
        return Err(Damage::Content);
    }
    Ok(from.split_to(length))
}

fn text(from: &mut Bytes) -> Result<String, Damage> {
    String::from_utf8(bytes(from)?.to_vec()).map_err(|_| Damage::Content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back() {
        let texts = [None, Some(String::new()), Some("gpu".to_owned())];
        for (tag, session) in texts.iter().flat_map(|tag| texts.iter().map(move |session| (tag, session))) {
            let message = MessageValue {
                sequence: 7,
                visible_at: Timestamp::from_millis(8),
                execution_id: ExecutionId(9),
                attempt: 10,
                topic: "pay".to_owned(),
                tag: tag.clone(),
                session: session.clone(),
                data: Bytes::from_static(b"\0{}"),
            };
            assert_eq!(MessageValue::decode(message.encode().into()), Ok(message));
        }
    }

    #[test]
    fn events_and_records_come_back() {
        let events = vec![Bytes::new(), Bytes::from_static(b"a"), Bytes::from(vec![0; 5000])];
        assert_eq!(decode_events(encode_events(&events).into()), Ok(events));
        let record = InstanceRecord {
            instance: InstanceId::new("a").unwrap(),
            execution_id: ExecutionId(2),
            revision: 3,
            metadata: BTreeMap::from([("k\0".to_owned(), Bytes::from_static(b"v")), (String::new(), Bytes::new())]),
            labels: BTreeMap::from([("l".to_owned(), "m".to_owned())]),
        };
        assert_eq!(decode_instance(&record.instance, encode_instance(&record).into()), Ok(record));
    }

    #[test]
    fn what_is_cut_is_refused() {
        let whole = encode_events(&[Bytes::from_static(b"abc")]);
        assert_eq!(decode_events(Bytes::copy_from_slice(&whole[..6])), Err(Damage::Content));
    }
}
