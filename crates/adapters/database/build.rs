//! The migrations are embedded; a new folder among them must rebuild this crate.

fn main() {
    println!("cargo::rerun-if-changed=../../../migrations");
}
