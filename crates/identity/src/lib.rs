//! Who may log on, how, and how often: policy without sockets, clocks or passwords.
//!
//! [`offer`] says what a session may offer on its channel, from a [`Rule`] (a LoginType, or a receive
//! connector's log-on mechanisms); every protocol and every mechanism goes through that one table.
//! [`Throttle`], [`Delays`] and [`ConnectionCounter`] say no, or later, to those who try too often or hold too much.
//! This crate refuses to know accounts and how a password is verified.
//!
//! Read first: [`LoginType`], [`policy::offer`], [`Throttle`].

mod auth_mechanisms;
mod connections;
mod delays;
mod login_type;
mod origin;
mod password;
pub mod policy;
#[cfg(test)]
mod policy_table;
mod throttle;
mod user_name;

pub use auth_mechanisms::AuthMechanisms;
pub use connections::{ConnectionCounter, Full};
pub use delays::{Attempt, Delays, NameKey};
pub use login_type::LoginType;
pub use origin::{Network, Origin};
pub use password::{PASSWORD_OCTETS, Strength, UnfitPassword, check_password, expiry};
pub use policy::{Available, Method, Protocol, Rule, Tls, offer};
pub use proto::logon::ExtendedProtection;
pub use throttle::Throttle;
pub use user_name::{Domains, UserName, user_address};
