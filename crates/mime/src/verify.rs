use thiserror::Error;

use crate::codec::DecodeError;
use crate::limits::Limits;
use crate::outline::{Content, Outline};
use crate::parser::{Parser, parse};

/// A promise of this crate that a message was found to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Inconsistency {
    #[error("chunks of another size gave another outline")]
    Chunks,
    #[error("the stored outline cannot be read: {0}")]
    Stored(#[from] DecodeError),
    #[error("the stored outline is another one")]
    StoredOther,
    #[error("part {0} lies outside the message")]
    Range(usize),
    #[error("part {0} is not named by its own section number")]
    Section(usize),
    #[error("a limit was passed")]
    Limits,
}

/// Parses a message whole and in chunks of `chunk` octets, stores the outline and reads it again, and walks all of its
/// sections: what a fuzz target wants, and tests over whole mailboxes.
pub fn verify(message: &[u8], chunk: usize, limits: Limits) -> Result<Outline, Inconsistency> {
    let outline = parse(message, limits);
    let mut parser = Parser::new(limits);
    message.chunks(chunk.max(1)).for_each(|chunk| parser.push(chunk));
    if parser.finish() != outline {
        return Err(Inconsistency::Chunks);
    }
    if outline.parts.len() > limits.parts.max(1) as usize {
        return Err(Inconsistency::Limits);
    }
    for (index, part) in outline.parts.iter().enumerate() {
        let in_order = part.header.start <= part.header.end
            && part.header.end == part.body.start
            && part.body.start <= part.body.end
            && part.body.end <= outline.size;
        if !in_order || outline.size != message.len() as u64 {
            return Err(Inconsistency::Range(index));
        }
    }
    // Reading the stored form checks that parts nest.
    if Outline::decode(&outline.encode())? != outline {
        return Err(Inconsistency::StoredOther);
    }
    walk_sections(&outline)?;
    Ok(outline)
}

/// Counts out the section numbers of RFC 3501 §6.4.5 from the tree and looks each of them up.
fn walk_sections(outline: &Outline) -> Result<(), Inconsistency> {
    // Parts whose own numbers begin anew, with the path that leads to them.
    let mut numbered: Vec<(usize, Vec<u32>)> = vec![(0, Vec::new())];
    while let Some((within, path)) = numbered.pop() {
        let multipart = outline.parts.get(within).is_some_and(|part| part.content == Content::Multipart);
        let members: Vec<usize> = if multipart { outline.children(within).collect() } else { vec![within] };
        for (number, member) in (1..).zip(members) {
            let mut path = path.clone();
            path.push(number);
            if outline.section_index(&path) != Some(member) {
                return Err(Inconsistency::Section(member));
            }
            match outline.parts.get(member).map(|part| &part.content) {
                Some(Content::Multipart) => numbered.push((member, path)),
                Some(Content::Message { .. }) => numbered.push((member + 1, path)),
                _ => {}
            }
        }
    }
    Ok(())
}
