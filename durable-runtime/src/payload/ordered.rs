//! JSON in the same order in every run: what comes out of a hash table in another order each time is written sorted.
//!
//! A serializer is not told whether a map is a hash table, and the order of other maps (`IndexMap`) means something. But
//! each value passes by here under its own type, and the name of a type tells. A table that hides from that (flattened
//! into a struct, or in a transparent wrapper) stays as it is: comparing payloads does not look at the order of keys.

use std::any::type_name;
use std::fmt::Display;

use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::value::{RawValue, to_raw_value};

/// Encodes a value; the same value gives the same text.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Box<RawValue>> {
    to_raw_value(&Ordered(value))
}

/// A value, and all that is in it.
struct Ordered<'a, T: ?Sized>(&'a T);

impl<T: Serialize + ?Sized> Serialize for Ordered<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(Through { inner: serializer, hashed: is_hash_table(type_name::<T>()) })
    }
}

/// Whether this is the name of a hash map or hash set, or of a pointer to one.
fn is_hash_table(name: &str) -> bool {
    const POINTERS: [&str; 6] =
        ["&", "mut ", "alloc::boxed::Box<", "alloc::rc::Rc<", "alloc::sync::Arc<", "core::cell::RefCell<"];
    const TABLES: [&str; 6] = [
        "std::collections::hash::map::HashMap<",
        "std::collections::hash::set::HashSet<",
        "hashbrown::map::HashMap<",
        "hashbrown::set::HashSet<",
        "dashmap::DashMap<",
        "dashmap::set::DashSet<",
    ];
    let inner = POINTERS.iter().find_map(|pointer| name.strip_prefix(pointer));
    inner.map_or_else(|| TABLES.iter().any(|table| name.starts_with(table)), is_hash_table)
}

/// A serializer that gives on all it gets, each value in it as [`Ordered`].
struct Through<S> {
    inner: S,
    hashed: bool,
}

/// Gives simple values on as they are.
macro_rules! as_is {
    ($($method:ident($($name:ident: $ty:ty),*);)*) => {
        $(fn $method(self, $($name: $ty),*) -> Result<S::Ok, S::Error> {
            self.inner.$method($($name),*)
        })*
    };
}

impl<S: Serializer> Serializer for Through<S> {
    type Error = S::Error;
    type Ok = S::Ok;
    type SerializeMap = Map<S>;
    type SerializeSeq = Sequence<S>;
    type SerializeStruct = Fields<S::SerializeStruct>;
    type SerializeStructVariant = Fields<S::SerializeStructVariant>;
    type SerializeTuple = Fields<S::SerializeTuple>;
    type SerializeTupleStruct = Fields<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Fields<S::SerializeTupleVariant>;

    as_is! {
        serialize_bool(value: bool);
        serialize_i8(value: i8);
        serialize_i16(value: i16);
        serialize_i32(value: i32);
        serialize_i64(value: i64);
        serialize_i128(value: i128);
        serialize_u8(value: u8);
        serialize_u16(value: u16);
        serialize_u32(value: u32);
        serialize_u64(value: u64);
        serialize_u128(value: u128);
        serialize_f32(value: f32);
        serialize_f64(value: f64);
        serialize_char(value: char);
        serialize_str(value: &str);
        serialize_bytes(value: &[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_some(&Ordered(value))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_struct(name, &Ordered(value))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_variant(name, index, variant, &Ordered(value))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Sequence<S>, S::Error> {
        match self.hashed {
            true => Ok(Sequence::Sorted(self.inner, Vec::with_capacity(len.unwrap_or_default()))),
            false => self.inner.serialize_seq(len).map(Sequence::AsItIs),
        }
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Map<S>, S::Error> {
        match self.hashed {
            true => Ok(Map::Sorted(self.inner, String::new(), Vec::with_capacity(len.unwrap_or_default()))),
            false => self.inner.serialize_map(len).map(Map::AsItIs),
        }
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.inner.serialize_tuple(len).map(Fields)
    }

    fn serialize_tuple_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.inner.serialize_tuple_struct(name, len).map(Fields)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.inner.serialize_tuple_variant(name, index, variant, len).map(Fields)
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        self.inner.serialize_struct(name, len).map(Fields)
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.inner.serialize_struct_variant(name, index, variant, len).map(Fields)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// A sequence; the elements of a hash set by their text.
enum Sequence<S: Serializer> {
    AsItIs(S::SerializeSeq),
    Sorted(S, Vec<Box<RawValue>>),
}

impl<S: Serializer> SerializeSeq for Sequence<S> {
    type Error = S::Error;
    type Ok = S::Ok;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        match self {
            Self::AsItIs(sequence) => sequence.serialize_element(&Ordered(value))?,
            Self::Sorted(_, elements) => elements.push(encode(value).map_err(S::Error::custom)?),
        }
        Ok(())
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        match self {
            Self::AsItIs(sequence) => sequence.end(),
            Self::Sorted(inner, mut elements) => {
                elements.sort_by(|left, right| left.get().cmp(right.get()));
                inner.collect_seq(elements)
            }
        }
    }
}

/// A map; the entries of a hash map by the text of their keys.
enum Map<S: Serializer> {
    AsItIs(S::SerializeMap),
    Sorted(S, String, Vec<(String, Box<RawValue>)>),
}

impl<S: Serializer> SerializeMap for Map<S> {
    type Error = S::Error;
    type Ok = S::Ok;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        match self {
            Self::AsItIs(map) => map.serialize_key(key)?,
            Self::Sorted(_, next, _) => *next = key_text(key).map_err(S::Error::custom)?,
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        match self {
            Self::AsItIs(map) => map.serialize_value(&Ordered(value))?,
            Self::Sorted(_, key, entries) => {
                entries.push((std::mem::take(key), encode(value).map_err(S::Error::custom)?));
            }
        }
        Ok(())
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        match self {
            Self::AsItIs(map) => map.end(),
            Self::Sorted(inner, _, mut entries) => {
                entries.sort_by(|(left, _), (right, _)| left.cmp(right));
                inner.collect_map(entries)
            }
        }
    }
}

/// What JSON makes of a key: numbers and the like become texts.
fn key_text<T: Serialize + ?Sized>(key: &T) -> serde_json::Result<String> {
    struct Entry<'a, T: ?Sized>(&'a T);
    impl<T: Serialize + ?Sized> Serialize for Entry<'_, T> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map([(self.0, ())])
        }
    }
    match serde_json::to_value(Entry(key))? {
        serde_json::Value::Object(entry) => Ok(entry.into_iter().map(|(key, _)| key).collect()),
        _ => Err(serde_json::Error::custom("a map is an object")),
    }
}

/// The parts of a tuple or a struct.
struct Fields<S>(S);

/// Gives the parts on, each as [`Ordered`].
macro_rules! fields {
    ($($part:ident::$method:ident($($key:ident)?);)*) => {
        $(impl<S: $part> $part for Fields<S> {
            type Error = S::Error;
            type Ok = S::Ok;

            fn $method<T: Serialize + ?Sized>(&mut self, $($key: &'static str,)? value: &T) -> Result<(), S::Error> {
                self.0.$method($($key,)? &Ordered(value))
            }

            fn end(self) -> Result<S::Ok, S::Error> {
                self.0.end()
            }
        })*
    };
}

fields! {
    SerializeTuple::serialize_element();
    SerializeTupleStruct::serialize_field();
    SerializeTupleVariant::serialize_field();
    SerializeStruct::serialize_field(key);
    SerializeStructVariant::serialize_field(key);
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap, HashSet};

    use super::*;

    fn text<T: Serialize>(value: T) -> String {
        encode(&value).unwrap().get().to_owned()
    }

    /// Shapes of every kind, with hash tables in all of them.
    #[derive(serde::Serialize)]
    struct Everything {
        map: HashMap<u32, Vec<HashSet<char>>>,
        keyed: HashMap<String, Kind>,
        optional: Option<HashSet<(u8, bool)>>,
        nothing: Option<HashSet<u8>>,
        raw: Box<RawValue>,
        kinds: Vec<Kind>,
        unit: (),
        large: u128,
        half: f64,
        quoted: &'static str,
    }

    #[derive(serde::Serialize)]
    enum Kind {
        Unit,
        New(HashSet<u8>),
        Tuple(HashSet<u8>, i64),
        Struct { set: HashSet<u8> },
    }

    #[derive(serde::Serialize)]
    struct Wrapper(HashSet<u8>);

    fn everything() -> Everything {
        let set = HashSet::from([3, 1, 20]);
        let kinds = [Kind::Unit, Kind::New(set.clone()), Kind::Tuple(set.clone(), -1), Kind::Struct { set }];
        Everything {
            map: (0..12).map(|key| (key, vec![HashSet::from(['b', 'a', 'c'])])).collect(),
            keyed: ["y", "x", "z"].into_iter().map(|key| (key.to_owned(), Kind::Unit)).collect(),
            optional: Some(HashSet::from([(2, true), (1, false)])),
            nothing: None,
            raw: RawValue::from_string("{ \"b\":1,  \"a\":[2]}".into()).unwrap(),
            kinds: kinds.into(),
            unit: (),
            large: u128::MAX,
            half: 0.5,
            quoted: "\"\u{7}é",
        }
    }

    #[test]
    fn the_same_value_is_the_same_text() {
        let first = text(everything());
        (0..50).for_each(|_| assert_eq!(text(everything()), first));
        assert_eq!(
            first,
            concat!(
                r#"{"map":{"0":[["a","b","c"]],"1":[["a","b","c"]],"10":[["a","b","c"]],"11":[["a","b","c"]],"#,
                r#""2":[["a","b","c"]],"3":[["a","b","c"]],"4":[["a","b","c"]],"5":[["a","b","c"]],"#,
                r#""6":[["a","b","c"]],"7":[["a","b","c"]],"8":[["a","b","c"]],"9":[["a","b","c"]]},"#,
                r#""keyed":{"x":"Unit","y":"Unit","z":"Unit"},"optional":[[1,false],[2,true]],"nothing":null,"#,
                r#""raw":{ "b":1,  "a":[2]},"kinds":["Unit",{"New":[1,20,3]},{"Tuple":[[1,20,3],-1]},"#,
                r#"{"Struct":{"set":[1,20,3]}}],"unit":null,"large":340282366920938463463374607431768211455,"#,
                r#""half":0.5,"quoted":"\"\u0007é"}"#,
            )
        );
        assert_eq!(text(Wrapper(HashSet::from([3, 1, 20]))), "[1,20,3]");
        let (boxed, shared) = (Box::new(HashSet::from([3, 1, 20])), std::cell::RefCell::new(HashSet::from([3, 1, 20])));
        assert_eq!(
            (text(&boxed), text(boxed), text(shared)),
            ("[1,20,3]".into(), "[1,20,3]".into(), "[1,20,3]".into())
        );
    }

    #[test]
    fn an_order_that_means_something_is_kept() {
        assert_eq!(text(vec![3, 1, 2]), "[3,1,2]");
        assert_eq!(text(BTreeMap::from([(2, 'a'), (10, 'b')])), r#"{"2":"a","10":"b"}"#);
    }

    #[test]
    fn what_json_refuses_is_refused() {
        let error = encode(&HashMap::from([(vec![1], 2)])).unwrap_err().to_string();
        assert!(error.contains("key must be a string"), "{error}");
    }
}
