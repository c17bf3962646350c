//! entrada-examples.

fn main() {}
