//! The texts that a SEARCH looks for: each place of a message is read and decoded once for all that are to be
//! found there, in bounded memory.

use std::collections::HashMap;

use mime::{Address, Content, Part};
use proto::imap::command::{Date, SearchKey, SearchNode, SearchProgram};
use store::MessageOutline;

use super::super::turn::Turn;
use super::matcher::Matcher;
use super::reader::{Header, Reader};

/// Octets decoded in one go: the text may be three times as long, and folded as long again.
const STEP: usize = 16 * 1024;

/// The keys of a program by the places where their texts may be, and what is known of the message at hand.
pub struct Texts {
    /// By the index of the key in the program.
    known: Vec<Option<bool>>,
    dates: Vec<(usize, SearchKey)>,
    from: Sought,
    to: Sought,
    cc: Sought,
    bcc: Sought,
    subject: Sought,
    message_id: Sought,
    /// Other fields, their names in small letters.
    fields: HashMap<Vec<u8>, Sought>,
    /// Header or body.
    anywhere: Sought,
    body: Sought,
}

/// Texts that are looked for in one place.
#[derive(Default)]
struct Sought {
    keys: Vec<usize>,
    matcher: Matcher,
}

impl Sought {
    fn add(&mut self, key: usize, text: &str) {
        self.keys.push(key);
        self.matcher.add(text);
    }

    /// Takes the whole of a text, decoded.
    async fn take(&mut self, text: &str, turn: &mut Turn) {
        if !self.matcher.is_done() {
            let work = self.matcher.push(text);
            self.matcher.end_of_text();
            turn.spend(work).await;
        }
    }

    async fn take_value(&mut self, value: Option<&[u8]>, turn: &mut Turn) {
        if let Some(value) = value.filter(|_| !self.matcher.is_done()) {
            self.take(&mime::word::decode(value), turn).await;
        }
    }

    async fn take_addresses(&mut self, addresses: &[Address], turn: &mut Turn) {
        for address in addresses {
            if self.matcher.is_done() {
                return;
            }
            self.take(&shown(address), turn).await;
        }
    }

    /// What was found is known now; what was not found also, if the place was read to its end.
    fn tell(&self, known: &mut [Option<bool>], to_the_end: bool) {
        for (at, key) in self.keys.iter().enumerate() {
            let found = self.matcher.found(at);
            if let Some(known) = known.get_mut(*key).filter(|_| found || to_the_end) {
                *known = Some(found);
            }
        }
    }
}

impl Texts {
    pub fn new(program: &SearchProgram) -> Self {
        let mut texts = Self {
            known: vec![None; program.nodes().len()],
            dates: Vec::new(),
            from: Sought::default(),
            to: Sought::default(),
            cc: Sought::default(),
            bcc: Sought::default(),
            subject: Sought::default(),
            message_id: Sought::default(),
            fields: HashMap::new(),
            anywhere: Sought::default(),
            body: Sought::default(),
        };
        for (at, node) in program.nodes().iter().enumerate() {
            match node {
                SearchNode::Key(key) => texts.add(at, key),
                SearchNode::And { .. } | SearchNode::Or { .. } | SearchNode::Not => {}
            }
        }
        texts
    }

    fn add(&mut self, at: usize, key: &SearchKey) {
        match key {
            SearchKey::SentBefore(_) | SearchKey::SentOn(_) | SearchKey::SentSince(_) => {
                self.dates.push((at, key.clone()));
            }
            SearchKey::From(text) => self.from.add(at, text),
            SearchKey::To(text) => self.to.add(at, text),
            SearchKey::Cc(text) => self.cc.add(at, text),
            SearchKey::Bcc(text) => self.bcc.add(at, text),
            SearchKey::Subject(text) => self.subject.add(at, text),
            // What clients look for most; spares reading the header.
            SearchKey::Header { name, value } if name.eq_ignore_ascii_case("Message-ID") => {
                self.message_id.add(at, value);
            }
            SearchKey::Header { name, value } => {
                self.fields.entry(name.to_ascii_lowercase().into_bytes()).or_default().add(at, value);
            }
            SearchKey::Text(text) => self.anywhere.add(at, text),
            SearchKey::Body(text) => self.body.add(at, text),
            _ => {}
        }
    }

    /// What is known of the key at this index.
    pub fn known(&self, at: usize) -> Option<bool> {
        self.known.get(at).copied().flatten()
    }

    /// Another message.
    pub fn begin(&mut self) {
        self.known.fill(None);
        let Self { from, to, cc, bcc, subject, message_id, fields, anywhere, body, .. } = self;
        let envelope = [from, to, cc, bcc, subject, message_id];
        for sought in envelope.into_iter().chain(fields.values_mut()).chain([anywhere, body]) {
            sought.matcher.begin();
        }
    }

    pub async fn in_envelope(&mut self, message: &MessageOutline, turn: &mut Turn) {
        let envelope = message.outline.envelope();
        if !self.dates.is_empty() {
            let sent = envelope.date.as_deref().and_then(sent_on);
            for (at, key) in &self.dates {
                if let Some(known) = self.known.get_mut(*at) {
                    *known = Some(sent.is_some_and(|sent| is_sent(key, sent)));
                }
            }
        }
        self.from.take_addresses(&envelope.from, turn).await;
        self.to.take_addresses(&envelope.to, turn).await;
        self.cc.take_addresses(&envelope.cc, turn).await;
        self.bcc.take_addresses(&envelope.bcc, turn).await;
        self.subject.take_value(envelope.subject.as_deref(), turn).await;
        self.message_id.take_value(envelope.message_id.as_deref(), turn).await;
        for sought in [&self.from, &self.to, &self.cc, &self.bcc, &self.subject, &self.message_id] {
            sought.tell(&mut self.known, true);
        }
    }

    pub async fn in_header(
        &mut self,
        reader: &mut Reader<'_>,
        message: &MessageOutline,
        turn: &mut Turn,
    ) -> store::Result<()> {
        let mut header = Header::new(0..u64::from(message.prefix) + message.outline.root().header.end);
        self.fields_of(&mut header, reader, turn).await?;
        for sought in self.fields.values() {
            sought.tell(&mut self.known, true);
        }
        self.anywhere.tell(&mut self.known, false);
        Ok(())
    }

    /// Each field is decoded once, if anything is looked for in it.
    async fn fields_of(&mut self, header: &mut Header, reader: &mut Reader<'_>, turn: &mut Turn) -> store::Result<()> {
        let longest = self.fields.keys().map(Vec::len).max().unwrap_or(0);
        while !self.fields.is_empty() || !self.anywhere.matcher.is_done() {
            let block = header.next(reader).await?;
            if block.is_empty() {
                break;
            }
            for field in mime::header::fields(block) {
                turn.spend(field.range.len()).await;
                let named = match field.name.len() <= longest {
                    true => self.fields.get_mut(&field.name.to_ascii_lowercase()),
                    false => None,
                };
                let anywhere = !self.anywhere.matcher.is_done();
                if named.is_none() && !anywhere {
                    continue;
                }
                let text = field.text();
                if let Some(sought) = named {
                    sought.take(&text, turn).await;
                }
                if anywhere {
                    self.anywhere.take(&line(field.name, &text), turn).await;
                }
            }
        }
        Ok(())
    }

    /// Inner headers and text parts, until all is found.
    pub async fn in_body(
        &mut self,
        reader: &mut Reader<'_>,
        message: &MessageOutline,
        turn: &mut Turn,
    ) -> store::Result<()> {
        let prefix = u64::from(message.prefix);
        for (index, part) in message.outline.parts.iter().enumerate() {
            if self.is_body_done() {
                break;
            }
            if index > 0 {
                self.part_header(prefix, part, reader, turn).await?;
            }
            if matches!(part.content, Content::Leaf) && part.shown_media().0.eq_ignore_ascii_case(b"text") {
                self.text(prefix, part, reader, turn).await?;
            }
        }
        self.anywhere.tell(&mut self.known, true);
        self.body.tell(&mut self.known, true);
        Ok(())
    }

    async fn part_header(
        &mut self,
        prefix: u64,
        part: &Part,
        reader: &mut Reader<'_>,
        turn: &mut Turn,
    ) -> store::Result<()> {
        let mut header = Header::new(prefix + part.header.start..prefix + part.header.end);
        while !self.is_body_done() {
            let block = header.next(reader).await?;
            if block.is_empty() {
                break;
            }
            for field in mime::header::fields(block) {
                turn.spend(field.range.len()).await;
                let line = line(field.name, &field.text());
                self.anywhere.take(&line, turn).await;
                self.body.take(&line, turn).await;
            }
        }
        Ok(())
    }

    fn is_body_done(&self) -> bool {
        self.anywhere.matcher.is_done() && self.body.matcher.is_done()
    }

    async fn text(&mut self, prefix: u64, part: &Part, reader: &mut Reader<'_>, turn: &mut Turn) -> store::Result<()> {
        let mut transfer = mime::decode::Decoder::new(part.encoding);
        let mut charset = mime::charset::Decoder::new(part.charset());
        let (mut octets, mut text) = (Vec::new(), String::new());
        let mut range = prefix + part.body.start..prefix + part.body.end;
        loop {
            let chunk = reader.next(&mut range).await?;
            for piece in chunk.chunks(STEP) {
                transfer.push(piece, &mut octets);
                charset.push(&octets, &mut text);
                turn.spend(piece.len() + self.push(&text)).await;
                octets.clear();
                text.clear();
                if self.is_body_done() {
                    return Ok(());
                }
            }
            if chunk.is_empty() {
                break;
            }
        }
        transfer.finish(&mut octets);
        charset.push(&octets, &mut text);
        charset.finish(&mut text);
        self.push(&text);
        self.anywhere.matcher.end_of_text();
        self.body.matcher.end_of_text();
        Ok(())
    }

    /// A piece of a text part. Answers what work it was.
    fn push(&mut self, text: &str) -> usize {
        self.anywhere.matcher.push(text) + self.body.matcher.push(text)
    }
}

/// RFC 3501 §6.4.4: the date as it stands there, whatever its time and zone.
fn sent_on(value: &[u8]) -> Option<Date> {
    let date = mime::date::parse(value)?.civil();
    Date::new(u16::try_from(date.year).ok()?, date.month, date.day)
}

fn is_sent(key: &SearchKey, sent: Date) -> bool {
    match key {
        SearchKey::SentBefore(date) => sent < *date,
        SearchKey::SentOn(date) => sent == *date,
        SearchKey::SentSince(date) => sent >= *date,
        _ => false,
    }
}

/// An address for people.
fn shown(address: &Address) -> String {
    match (&address.mailbox, &address.host) {
        // A group, by its name.
        (Some(name), None) => mime::word::decode(name),
        _ => {
            let name = address.name.as_deref().map(mime::word::decode).unwrap_or_default();
            format!("{name} <{}>", address.addr_spec())
        }
    }
}

/// A field for people, as one line.
fn line(name: &[u8], text: &str) -> String {
    format!("{}: {text}", String::from_utf8_lossy(name))
}
