//! What a person, or a program, must know to use the server that has just started.

use std::fmt;
use std::path::PathBuf;

use proto::logon::Secret;
use serde_json::json;
use store::Address;

/// A mailbox, and what is known of its password.
pub struct User {
    pub address: Address,
    pub password: Password,
}

pub enum Password {
    /// Made up just now: nobody has seen it yet.
    Made(Secret),
    /// The one of the password file.
    Given(Secret),
    /// It was set in an earlier run, or by a command.
    SetBefore,
}

impl Password {
    fn known(&self) -> Option<&str> {
        match self {
            Self::Made(secret) | Self::Given(secret) => Some(secret.expose()),
            Self::SetBefore => None,
        }
    }
}

/// The ports that answer; `None` where a service is stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    pub pop3: Option<u16>,
    pub pop3s: Option<u16>,
    pub imap: Option<u16>,
    pub imaps: Option<u16>,
    pub smtp: Option<u16>,
    pub submission: Option<u16>,
    pub submissions: Option<u16>,
}

/// The server is ready. Prints as the client settings card.
pub struct Ready {
    pub host: String,
    pub domain: String,
    pub authority: PathBuf,
    pub data: PathBuf,
    pub ports: Ports,
    pub users: Vec<User>,
    /// What else a person must know, a sentence each.
    pub notes: Vec<String>,
    /// Why a service that should run does not.
    pub failures: Vec<String>,
}

impl Ready {
    /// The ready line for programs.
    pub fn to_json(&self) -> String {
        let ports = &self.ports;
        let users =
            self.users.iter().map(|user| json!({"address": user.address.as_str(), "password": user.password.known()}));
        json!({
            "ready": true,
            "host": self.host,
            "domain": self.domain,
            "ca_file": self.authority.display().to_string(),
            "data_dir": self.data.display().to_string(),
            "ports": {
                "pop3": ports.pop3, "pop3s": ports.pop3s, "imap": ports.imap, "imaps": ports.imaps,
                "smtp": ports.smtp, "submission": ports.submission, "submissions": ports.submissions,
            },
            "users": users.collect::<Vec<_>>(),
            "failures": self.failures,
        })
        .to_string()
    }
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, ports, .. } = self;
        writeln!(f, "Gatepost serves {} on {host}. Settings for mail programs:\n", self.domain)?;
        for note in &self.notes {
            writeln!(f, "  {note}\n")?;
        }
        let rows = [
            ("Incoming mail (IMAP)", ports.imaps, ports.imap),
            ("Incoming mail (POP3)", ports.pop3s, ports.pop3),
            ("Outgoing mail (SMTP)", ports.submissions, ports.submission),
        ];
        for (name, tls, upgraded) in rows {
            match (tls, upgraded) {
                (Some(tls), Some(upgraded)) => {
                    writeln!(f, "  {name}   {host}  port {tls} with SSL/TLS, or port {upgraded} with STARTTLS")?;
                }
                (Some(tls), None) => writeln!(f, "  {name}   {host}  port {tls} with SSL/TLS")?,
                (None, Some(upgraded)) => writeln!(f, "  {name}   {host}  port {upgraded} with STARTTLS")?,
                (None, None) => writeln!(f, "  {name}   stopped")?,
            }
        }
        for failure in &self.failures {
            writeln!(f, "  {failure}")?;
        }
        writeln!(f, "  My server requires authentication: yes, with the same user name and password")?;
        writeln!(f, "  Certificate authority to trust:    {}", self.authority.display())?;
        if let Some(smtp) = ports.smtp {
            writeln!(f, "  Mail from other servers comes in on port {smtp}.")?;
        }
        writeln!(f)?;
        for User { address, password } in &self.users {
            writeln!(f, "  User name   {address}")?;
            match password {
                Password::Made(secret) => writeln!(f, "  Password    {}   (shown this once)", secret.expose())?,
                Password::Given(_) => writeln!(f, "  Password    the one in the password file")?,
                Password::SetBefore => {
                    let data = self.data.display();
                    writeln!(
                        f,
                        "  Password    as it was set; another one: gatepost Set-Mailbox {address} -Password --data {data}"
                    )?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready() -> Ready {
        let ports = Ports {
            pop3: None,
            pop3s: None,
            imap: Some(10143),
            imaps: Some(10993),
            smtp: Some(10025),
            submission: Some(10587),
            submissions: Some(10465),
        };
        let user = |text: &str, password| User { address: Address::parse(text).unwrap(), password };
        let secret = |text: &str| Secret::new(text.to_owned());
        Ready {
            host: "localhost".into(),
            domain: "example.test".into(),
            authority: "/data/tls/ca.pem".into(),
            data: "/data".into(),
            ports,
            users: vec![
                user("ann@example.test", Password::Made(secret("abcd-efgh"))),
                user("bob@example.test", Password::SetBefore),
                user("carl@example.test", Password::Given(secret("open sesame"))),
            ],
            notes: vec!["Every port is shifted.".into()],
            failures: vec!["POP3 was not started: its port is taken".into()],
        }
    }

    #[test]
    fn the_card_says_what_a_mail_program_asks_for() {
        assert_eq!(
            ready().to_string(),
            "\
Gatepost serves example.test on localhost. Settings for mail programs:

  Every port is shifted.

  Incoming mail (IMAP)   localhost  port 10993 with SSL/TLS, or port 10143 with STARTTLS
  Incoming mail (POP3)   stopped
  Outgoing mail (SMTP)   localhost  port 10465 with SSL/TLS, or port 10587 with STARTTLS
  POP3 was not started: its port is taken
  My server requires authentication: yes, with the same user name and password
  Certificate authority to trust:    /data/tls/ca.pem
  Mail from other servers comes in on port 10025.

  User name   ann@example.test
  Password    abcd-efgh   (shown this once)
  User name   bob@example.test
  Password    as it was set; another one: gatepost Set-Mailbox bob@example.test -Password --data /data
  User name   carl@example.test
  Password    the one in the password file
"
        );
    }

    #[test]
    fn the_ready_line_is_one_line_with_every_port() {
        let line = ready().to_json();
        assert!(!line.contains('\n'));
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["ready"], true);
        assert_eq!(value["ports"]["pop3"], serde_json::Value::Null);
        assert_eq!(value["ports"]["imaps"], 10993);
        assert_eq!(value["users"][0]["password"], "abcd-efgh");
        assert_eq!(value["users"][1]["password"], serde_json::Value::Null);
        assert_eq!(value["users"][2]["password"], "open sesame");
    }
}
