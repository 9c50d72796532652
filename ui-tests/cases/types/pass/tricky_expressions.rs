#![allow(unused)]

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::rc::Rc;

use durable_runtime::prelude::*;

#[derive(Default)]
struct Cart {
    items: Vec<String>,
    counts: BTreeMap<String, u32>,
}

impl Cart {
    fn items(&self) -> &[String] {
        &self.items
    }

    fn items_mut(&mut self) -> &mut Vec<String> {
        &mut self.items
    }
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> Vec<String> {
    // Temporaries live as long as in plain code.
    let words: Vec<&str> = "a,b".trim().split(',').collect();
    let upper = String::from("a,b").as_str().to_uppercase().chars().rev().collect::<String>();
    let shared = Rc::new(RefCell::new(vec![3, 1, 2]));
    let sum: i32 = shared.borrow().iter().sum();
    shared.borrow_mut().iter_mut().for_each(|number| *number += 1);
    shared.borrow_mut().drain(..1).for_each(drop);
    let longest = shared.borrow().iter().copied().max().unwrap_or_default();

    // Places are neither moved nor borrowed longer.
    let mut cart = Cart::default();
    cart.items.drain(..);
    cart.items.retain(|item| !item.is_empty());
    cart.items_mut().iter_mut().for_each(|item| item.push('x'));
    for item in cart.items() {}
    for item in &mut cart.items {
        item.push('y');
    }
    for (name, count) in cart.counts.iter_mut() {
        *count += 1;
    }
    let boxed: Box<dyn Iterator<Item = String>> = Box::new(cart.items.into_iter());
    for item in boxed {}
    let nested = vec![vec![1, 2], vec![3]];
    for row in &nested {
        for cell in row.iter() {}
    }
    let first = nested[0].iter().next();
    let flat: Vec<u32> = nested.into_iter().flatten().collect();
    let array = [[1, 2], [3, 4]];
    for [left, right] in array {}
    for (index, value) in array.iter().enumerate().skip(1).step_by(2) {}

    // Types are inferred as before.
    let numbers: Vec<u64> = ["1", "2"].iter().map(|text| text.parse().unwrap()).collect();
    let total = numbers.iter().map(|number| number * 2).sum::<u64>();
    let defaulted: Vec<(u8, String)> = Default::default();
    for (number, text) in defaulted {}
    let text = ["a", "b"].join(",");
    let swapped = { let mut pair = [1, 2]; pair.swap(0, 1); pair };
    let empty = Vec::<u8>::new().into_iter().next();
    let queue: VecDeque<u32> = (0..3).collect();
    let rest = queue.iter().rev().take_while(|number| **number > 1).count();
    let mut option = Some(3);
    for value in option.iter_mut() {
        *value += 1;
    }
    for value in option {}
    for number in (0..3).rev().filter(|number| number % 2 == 0) {}
    for character in text.chars().rev() {}
    let closure = |list: &[u32]| list.iter().max().copied();
    let by_move = move || flat.into_iter().map(|number| number + 1).collect::<Vec<_>>();
    let results: Result<Vec<u32>, String> = by_move().into_iter().map(Ok).collect();
    let reference = &mut vec![1];
    reference.iter_mut().for_each(|number| *number = 2);
    for number in reference.iter() {}
    for number in reference {}

    let mut list = vec![1, 2];
    let others = [3, 4];
    list.extend(others);
    list.extend(&others);
    list.extend([5].iter().chain(&others));
    let pairs: Vec<(i32, i32)> = list.iter().copied().zip(others).collect();
    let table = [BTreeMap::from([(1, 2)])];
    for key in table[0].keys() {}

    // Hash tables, as long as nobody sees their order.
    let mut counts: HashMap<&str, u32> = HashMap::new();
    counts.insert("a", 1);
    *counts.entry("b").or_default() += 1;
    let known = counts.get("a").copied().unwrap_or_default() + counts.len() as u32;
    let has = counts.contains_key("a") && counts.remove("a").is_some();
    let mut seen = HashSet::new();
    let twice = words.iter().filter(|word| !seen.insert(**word)).count();
    for (word, count) in durable_runtime::sorted(&counts) {}
    durable_runtime::sorted(counts).into_keys().map(str::to_owned).collect()
}

fn main() {}
