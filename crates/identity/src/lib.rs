//! Who may log on, and how: one policy for every protocol and mechanism.

mod login_type;

pub use login_type::LoginType;
