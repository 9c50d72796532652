//! Writes `data/orders.json`: 2,000 orders of a shop for tea and coffee.
//!
//! Everything comes from one seed, so every run on every machine writes the same bytes.

use std::error::Error;
use std::fs;

#[path = "order_saga/orders.rs"]
mod orders;

use orders::{Address, Card, Customer, Item, ORDERS, Order};

const SEED: u64 = 20_260_314;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| ORDERS.to_owned());
    let mut dice = Dice(SEED);
    let orders: Vec<Order> = (1..=2_000).map(|number| order(number, &mut dice)).collect();
    // One order a line: short diffs, and a part of the file can be read without the rest.
    let lines = orders.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    fs::write(&path, format!("[\n{}\n]\n", lines.join(",\n")))?;
    let cents: u64 = orders.iter().map(Order::cents).sum();
    println!("{} orders over {} EUR written to {path}", orders.len(), cents / 100);
    Ok(())
}

/// SplitMix64: written out, since the numbers of a crate may change with its version.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    fn pick<T: Copy + Default>(&mut self, from: &[T]) -> T {
        let index = self.below(from.len() as u64) as usize;
        from.get(index).copied().unwrap_or_default()
    }
}

fn order(number: u32, dice: &mut Dice) -> Order {
    let items = (0..1 + dice.below(4)).map(|_| item(dice)).collect();
    Order { id: format!("{number:06}"), customer: customer(dice), address: address(dice), items, card: card(dice) }
}

fn customer(dice: &mut Dice) -> Customer {
    let (first, last) = (dice.pick(FIRST_NAMES), dice.pick(LAST_NAMES));
    let email = format!("{}.{}@example.com", first.to_lowercase(), last.to_lowercase());
    Customer { name: format!("{first} {last}"), email }
}

fn address(dice: &mut Dice) -> Address {
    let (city, country, street, postcode) = dice.pick(CITIES);
    let number = 1 + dice.below(180);
    let street = if dice.percent(4) { format!("PO Box {number}") } else { format!("{street} {number}") };
    let postcode = format!("{postcode}{:02}", dice.below(100));
    Address { street, postcode, city: city.to_owned(), country: country.to_owned() }
}

fn item(dice: &mut Dice) -> Item {
    let (sku, title, cents) = if dice.below(200) == 0 { SOLD_OUT } else { dice.pick(GOODS) };
    Item { sku: sku.to_owned(), title: title.to_owned(), quantity: 1 + dice.below(3) as u32, cents }
}

fn card(dice: &mut Dice) -> Card {
    let kind = match dice.below(100) {
        0..5 => "4000 0002",
        5..17 => "4000 0119",
        _ => "4242 4242",
    };
    let number = format!("{kind} {:04} {:04}", dice.below(10_000), dice.below(10_000));
    Card { number, expires: format!("{:02}/{}", 1 + dice.below(12), 27 + dice.below(5)) }
}

#[rustfmt::skip]
const FIRST_NAMES: &[&str] = &[
    "Ada", "Alan", "Amalie", "Anouk", "Arthur", "Barbara", "Björn", "Carla", "Chiara", "Clara", "Dennis", "Edsger",
    "Elena", "Emmy", "Frances", "Grace", "Hanna", "Hedy", "Ines", "Ivo", "Jean", "Joan", "Karen", "Katherine", "Lars",
    "Leslie", "Lena", "Luca", "Margaret", "Marie", "Mateo", "Niklaus", "Nora", "Olga", "Paul", "Radia", "Rosa", "Sofia",
    "Tony", "Zoé",
];

#[rustfmt::skip]
const LAST_NAMES: &[&str] = &[
    "Andersen", "Bakker", "Bauer", "Bernard", "Bianchi", "Costa", "Dubois", "Fischer", "García", "Haugen", "Hoffmann",
    "Jansen", "Keller", "Larsen", "Lefèvre", "Lindqvist", "Martin", "Meijer", "Moreau", "Murphy", "Nielsen", "Nowak",
    "O'Brien", "Olsen", "Pereira", "Petit", "Ricci", "Rossi", "Ruiz", "Schneider", "Silva", "Smit", "Svensson", "Weber",
    "Wagner", "Walsh",
];

/// City, country, a street, and how its postcodes begin.
const CITIES: &[(&str, &str, &str, &str)] = &[
    ("Amsterdam", "Netherlands", "Prinsengracht", "10"),
    ("Utrecht", "Netherlands", "Oudegracht", "35"),
    ("Berlin", "Germany", "Torstraße", "101"),
    ("Hamburg", "Germany", "Lange Reihe", "200"),
    ("München", "Germany", "Türkenstraße", "807"),
    ("Lyon", "France", "Rue Mercière", "690"),
    ("Nantes", "France", "Rue Crébillon", "440"),
    ("Paris", "France", "Rue des Martyrs", "750"),
    ("Bologna", "Italy", "Via Zamboni", "401"),
    ("Torino", "Italy", "Via Po", "101"),
    ("Lisboa", "Portugal", "Rua Augusta", "11"),
    ("Porto", "Portugal", "Rua das Flores", "40"),
    ("Sevilla", "Spain", "Calle Betis", "410"),
    ("Valencia", "Spain", "Calle de la Paz", "460"),
    ("Dublin", "Ireland", "Capel Street", "D"),
    ("Wien", "Austria", "Neubaugasse", "10"),
];

/// Number, title, and cents for one piece.
type Good = (&'static str, &'static str, u64);

const SOLD_OUT: Good = ("KET-RED", "Enamel kettle, red, 1.5 l", 5_490);

const GOODS: &[Good] = &[
    ("TEA-ASM-250", "Assam, second flush, 250 g", 1_450),
    ("TEA-DJL-100", "Darjeeling, first flush, 100 g", 1_890),
    ("TEA-EGR-250", "Earl Grey, 250 g", 1_290),
    ("TEA-GEN-100", "Genmaicha, 100 g", 990),
    ("TEA-LAP-100", "Lapsang souchong, 100 g", 1_190),
    ("TEA-MAT-030", "Matcha, ceremonial, 30 g", 2_950),
    ("TEA-OOL-100", "Oolong, Alishan, 100 g", 2_390),
    ("TEA-ROO-250", "Rooibos, 250 g", 890),
    ("COF-BRA-500", "Brazil, Cerrado, 500 g", 1_350),
    ("COF-COL-500", "Colombia, Huila, 500 g", 1_590),
    ("COF-ETH-250", "Ethiopia, Yirgacheffe, 250 g", 1_250),
    ("COF-KEN-250", "Kenya, Nyeri, 250 g", 1_490),
    ("CUP-BLU-2", "Two cups, stoneware, blue", 2_400),
    ("CUP-GLS-4", "Four glasses, double wall", 2_990),
    ("POT-CST-08", "Cast iron pot, 0.8 l", 4_950),
    ("POT-GLS-12", "Glass pot with strainer, 1.2 l", 3_290),
    ("FLT-PAP-100", "Paper filters, 100 pieces", 450),
    ("GRI-HND-1", "Hand grinder, steel burrs", 8_900),
    ("PRS-FRN-10", "French press, 1 l", 3_490),
    ("SCL-DIG-1", "Digital scale with timer", 3_990),
];
