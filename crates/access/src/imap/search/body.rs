//! BODY and TEXT: the decoded text of a message, read once as it streams by, in bounded memory.

use bytes::Bytes;
use mime::{Content, Part};
use proto::imap::command::{SearchKey, SearchNode, SearchProgram};
use store::{Mailboxes, MessageId, MessageOutline, Unit};

use super::super::wake::rest;
use super::header;
use super::matcher::Matcher;

/// Octets decoded in one go: the text may be three times as long, and folded as long again.
const STEP: usize = 16 * 1024;
/// Of the header of an inner part.
const MAX_PART_HEADER: u64 = 64 * 1024;

/// The texts that are still looked for.
pub struct Texts {
    /// Indexes of their keys in the program, ascending.
    keys: Vec<usize>,
    matcher: Matcher,
}

impl Texts {
    pub fn new(program: &SearchProgram, open: impl Fn(usize, &SearchKey) -> bool) -> Self {
        let wanted = program.nodes().iter().enumerate().filter_map(|(at, node)| match node {
            SearchNode::Key(key @ (SearchKey::Body(text) | SearchKey::Text(text))) if open(at, key) => {
                Some((at, text.as_str()))
            }
            _ => None,
        });
        let (keys, texts): (Vec<usize>, Vec<&str>) = wanted.unzip();
        Self { keys, matcher: Matcher::new(texts.into_iter()) }
    }

    /// Whether the text of this key was found.
    pub fn found(&self, at: usize) -> bool {
        self.keys.binary_search(&at).is_ok_and(|index| self.matcher.found(index))
    }

    /// Reads inner headers and text parts until all is found.
    pub async fn search(&mut self, mailboxes: &dyn Mailboxes, message: MessageId, outline: &MessageOutline) {
        let mut reader = Reader { mailboxes, message, chunk: Bytes::new(), start: 0 };
        let prefix = u64::from(outline.prefix);
        for (index, part) in outline.outline.parts.iter().enumerate() {
            if index > 0 {
                self.part_header(&mut reader, prefix, part).await;
            }
            if matches!(part.content, Content::Leaf) && part.shown_media().0.eq_ignore_ascii_case(b"text") {
                self.text(&mut reader, prefix, part).await;
            }
            if self.matcher.is_done() {
                return;
            }
        }
    }

    async fn part_header(&mut self, reader: &mut Reader<'_>, prefix: u64, part: &Part) {
        let mut block = Vec::new();
        let end = part.header.end.min(part.header.start + MAX_PART_HEADER);
        let mut at = part.header.start;
        while at < end {
            let octets = reader.at(prefix + at, end - at).await;
            if octets.is_empty() {
                break;
            }
            at += octets.len() as u64;
            block.extend_from_slice(&octets);
        }
        for field in mime::header::fields(&block) {
            self.matcher.push(&header::line(&field));
            self.matcher.end_of_text();
        }
    }

    async fn text(&mut self, reader: &mut Reader<'_>, prefix: u64, part: &Part) {
        let mut transfer = mime::decode::Decoder::new(part.encoding);
        let mut charset = mime::charset::Decoder::new(part.charset());
        let (mut octets, mut text) = (Vec::new(), String::new());
        let mut at = part.body.start;
        while at < part.body.end && !self.matcher.is_done() {
            let chunk = reader.at(prefix + at, part.body.end - at).await;
            if chunk.is_empty() {
                break;
            }
            at += chunk.len() as u64;
            for piece in chunk.chunks(STEP) {
                transfer.push(piece, &mut octets);
                charset.push(&octets, &mut text);
                self.matcher.push(&text);
                octets.clear();
                text.clear();
            }
            rest().await;
        }
        transfer.finish(&mut octets);
        charset.push(&octets, &mut text);
        charset.finish(&mut text);
        self.matcher.push(&text);
        self.matcher.end_of_text();
    }
}

/// Reads a message forwards, a chunk at a time, and gives out what lies in it.
struct Reader<'a> {
    mailboxes: &'a dyn Mailboxes,
    message: MessageId,
    chunk: Bytes,
    start: u64,
}

impl Reader<'_> {
    /// At most `length` octets from `at` on; none if they cannot be read.
    async fn at(&mut self, at: u64, length: u64) -> Bytes {
        let end = self.start + self.chunk.len() as u64;
        if !(self.start..end).contains(&at) {
            let range = at..at.saturating_add(Unit::CHUNK);
            self.chunk = self.mailboxes.read(self.message, range).await.unwrap_or_default();
            self.start = at;
        }
        let held = self.chunk.len();
        let from = ((at - self.start) as usize).min(held);
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(held - from);
        self.chunk.slice(from..from + length)
    }
}
