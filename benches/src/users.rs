//! The mailboxes of every measured server.

pub const PASSWORD: &str = "benchmark-password";

pub fn user(number: usize) -> String {
    format!("user{number}@example.test")
}
