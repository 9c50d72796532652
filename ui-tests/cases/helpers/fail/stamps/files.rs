pub fn first() -> bool {
    std::fs::exists("first").is_ok()
}
