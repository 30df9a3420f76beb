//! Who is to have a mailbox, and with which password.

use std::path::Path;

use proto::logon::Secret;
use store::Address;

use super::SetupError;

/// One mailbox to be made.
pub struct Person {
    pub address: Address,
    /// `None`: one is made up.
    pub password: Option<Secret>,
}

/// Lines of `address password`; the password is the rest of its line.
pub fn parse_password_file(path: &Path) -> Result<Vec<Person>, SetupError> {
    let text = zeroize::Zeroizing::new(std::fs::read_to_string(path).map_err(|error| {
        SetupError::Refused(format!(
            "the file of passwords {} cannot be read: {error}; its lines are: address password",
            path.display()
        ))
    })?);
    parse(&text).map_err(|(line, why)| SetupError::Refused(format!("{}, line {line}: {why}", path.display())))
}

fn parse(text: &str) -> Result<Vec<Person>, (usize, String)> {
    let mut people: Vec<Person> = Vec::new();
    for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line.trim_start())) {
        if line.trim_end().is_empty() {
            continue;
        }
        let (address, password) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let address = Address::parse(address).map_err(|error| (number, error.to_string()))?;
        let password = password.trim_matches([' ', '\t']);
        if password.is_empty() {
            return Err((number, format!("{address} has no password; a line is: address password")));
        }
        identity::check_password(password).map_err(|unfit| (number, format!("{address}: {unfit}")))?;
        if people.iter().any(|person| person.address == address) {
            return Err((number, format!("{address} is there twice")));
        }
        people.push(Person { address, password: Some(Secret::new(password.to_owned())) });
    }
    Ok(people)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_an_address_and_its_password() {
        let people = parse("ann@example.test correct horse\r\n\n\tBob@Example.Test\tpassword \n").ok().unwrap();
        let pairs: Vec<_> =
            people.iter().map(|p| (p.address.as_str(), p.password.as_ref().unwrap().expose())).collect();
        assert_eq!(pairs, [("ann@example.test", "correct horse"), ("bob@example.test", "password")]);
    }

    #[test]
    fn a_line_that_makes_no_sense_is_named_without_its_password() {
        for (text, line) in [
            ("ann secret", 1),
            ("\nann@example.test", 2),
            ("a@b.test a secret\na@b.test a secret", 2),
            ("a@b.test secret", 1),
        ] {
            let (number, why) = parse(text).err().unwrap();
            assert_eq!(number, line);
            assert!(!why.contains("secret"), "{why}");
        }
    }
}
