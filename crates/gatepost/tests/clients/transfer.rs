//! mbsync and fetchmail carrying whole mailboxes.

use std::path::Path;

use crate::{PASSWORD, Site, client, run};

/// The files of a maildir folder, `new` and `cur`.
fn maildir(folder: &Path) -> Vec<std::path::PathBuf> {
    let halves = ["new", "cur"].map(|half| std::fs::read_dir(folder.join(half)).unwrap());
    halves.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn mbsync_carries_both_ways_and_has_nothing_left_to_do() {
    let site = Site::new();
    for number in 0..3 {
        site.deliver("ann@example.test", &format!("message {number}"));
    }
    let password = site.configuration("password", PASSWORD);
    let mail = site.scratch.path("mail");
    std::fs::create_dir(&mail).unwrap();
    let configuration = format!(
        "IMAPAccount gatepost\nHost localhost\nPort {port}\nSSLType IMAPS\nCertificateFile {authority}\n\
         User ann@example.test\nPassCmd \"cat {password}\"\n\n\
         IMAPStore server\nAccount gatepost\n\n\
         MaildirStore here\nPath {mail}/\nInbox {mail}/INBOX\nSubFolders Verbatim\n\n\
         Channel all\nFar :server:\nNear :here:\nPatterns *\nCreate Both\nExpunge Both\nSyncState *\n",
        port = site.port("imaps"),
        authority = site.authority(),
        password = password.display(),
        mail = mail.display(),
    );
    let configuration = site.configuration("mbsyncrc", &configuration);
    let sync =
        || client("mbsync").map(|mut mbsync| run(mbsync.arg("--config").arg(&configuration).args(["-V", "--all"])));
    if sync().is_none() {
        return;
    }
    assert_eq!(maildir(&mail.join("INBOX")).len(), 3);

    // One is added here, one marked as read, one removed; and one arrives there.
    std::fs::write(mail.join("Archive/cur/1.made.here:2,FS"), "Subject: made here\n\nText.\n").unwrap();
    let files = maildir(&mail.join("INBOX"));
    let flagged = |file: &Path, flags: &str| {
        let name = file.file_name().unwrap().to_str().unwrap().split(":2,").next().unwrap().to_owned();
        mail.join("INBOX/cur").join(format!("{name}:2,{flags}"))
    };
    std::fs::rename(&files[0], flagged(&files[0], "S")).unwrap();
    std::fs::rename(&files[1], flagged(&files[1], "T")).unwrap();
    site.deliver("ann@example.test", "message 3");
    sync();
    assert_eq!(site.inbox("ann").len(), 3, "one went, one came");

    let state = || {
        let mut names: Vec<_> = ["INBOX", "Archive"].iter().flat_map(|folder| maildir(&mail.join(folder))).collect();
        names.sort();
        names
    };
    let before = state();
    let log = sync().unwrap();
    assert_eq!(state(), before);
    for word in ["Pushing", "Pulling", "pulling", "pushing", "expunging", "flags"] {
        assert!(!log.contains(&format!("{word} ")), "something was left to do: {log}");
    }
}

#[test]
fn fetchmail_takes_the_mail_out_by_pop3_and_by_imap() {
    for (protocol, port) in [("POP3", "pop3s"), ("IMAP", "imaps")] {
        let site = Site::new();
        site.deliver("bob@example.test", "first");
        site.deliver("bob@example.test", "second");
        let Some(mut fetchmail) = client("fetchmail") else { return };
        let fetched = site.scratch.path("fetched");
        let configuration = site.configuration(
            "fetchmailrc",
            &format!(
                "poll localhost protocol {protocol} service {} user \"bob@example.test\" password \"{PASSWORD}\" \
                 ssl sslcertck sslcertfile {} mda \"cat >> {}\"\n",
                site.port(port),
                site.authority(),
                fetched.display(),
            ),
        );
        fetchmail.env("FETCHMAILHOME", site.scratch.path("")).arg("--fetchmailrc").arg(configuration);
        let talk = run(&mut fetchmail);
        let mail = std::fs::read_to_string(&fetched).unwrap();
        assert!(mail.contains("Subject: first") && mail.contains("Subject: second"), "{protocol}: {talk}\n{mail}");
        assert!(mail.contains("\n.hidden"), "{mail}");
        assert!(site.inbox("bob").is_empty(), "{protocol}: what was fetched is gone");
    }
}
