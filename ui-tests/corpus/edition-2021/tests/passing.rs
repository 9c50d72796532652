//! The cases that pass do so in edition 2021 too; `ui-tests` itself compiles them in edition 2024.

#[test]
fn what_is_allowed_is_allowed_in_both_editions() {
    ui_tests::without_debug_information(|| trybuild::TestCases::new().pass("../../cases/*/pass/*.rs"));
}
