//! Substring matching without regard to case, in linear time, over text that comes in pieces.

use memchr::memmem::{self, Finder};

/// Text as it is compared: each character in upper and then lower case, so that also `ß` and `SS` or `ς` and
/// `Σ` are one.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

fn fold_into(text: &str, folded: &mut String) {
    if text.is_ascii() {
        folded.extend(text.bytes().map(|octet| char::from(octet.to_ascii_lowercase())));
    } else {
        folded.extend(text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase));
    }
}

/// Whether a text holds a folded one.
pub fn contains(text: &str, folded: &str) -> bool {
    folded.is_empty() || memmem::find(fold(text).as_bytes(), folded.as_bytes()).is_some()
}

/// Looks for several texts at once in one that streams by.
pub struct Matcher {
    needles: Vec<Needle>,
    /// Folded text: the end of what came before, then the new piece.
    window: String,
    /// Octets of the longest needle.
    longest: usize,
}

struct Needle {
    finder: Finder<'static>,
    found: bool,
}

impl Matcher {
    pub fn new<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let texts: Vec<String> = texts.map(fold).collect();
        let longest = texts.iter().map(String::len).max().unwrap_or(0);
        let needle = |text: String| Needle { found: text.is_empty(), finder: Finder::new(&text).into_owned() };
        Self { needles: texts.into_iter().map(needle).collect(), window: String::new(), longest }
    }

    pub fn found(&self, at: usize) -> bool {
        self.needles.get(at).is_some_and(|needle| needle.found)
    }

    pub fn is_done(&self) -> bool {
        self.needles.iter().all(|needle| needle.found)
    }

    pub fn push(&mut self, text: &str) {
        fold_into(text, &mut self.window);
        for needle in self.needles.iter_mut().filter(|needle| !needle.found) {
            needle.found = needle.finder.find(self.window.as_bytes()).is_some();
        }
        // What may be the begin of a match stays.
        let mut cut = self.window.len().saturating_sub(self.longest.saturating_sub(1));
        while !self.window.is_char_boundary(cut) {
            cut -= 1;
        }
        self.window.drain(..cut);
    }

    /// The text ends here, and what follows is another.
    pub fn end_of_text(&mut self) {
        self.window.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_does_not_count_in_any_script() {
        for (text, wanted, found) in [
            ("Hello World", "lo wo", true),
            ("GRÖSSE", "größe", true),
            ("Größe", "GRÖSSE", true),
            ("ΟΔΟΣ", "οδος", true),
            ("Привет", "ПРИВЕТ", true),
            ("hello", "help", false),
            ("", "", true),
        ] {
            assert_eq!(contains(text, &fold(wanted)), found, "{text} {wanted}");
        }
    }

    proptest! {
        #[test]
        fn pieces_are_searched_as_the_whole(
            text in "[aAbä]{0,40}",
            needles in prop::collection::vec("[abÄ]{0,6}", 1..4),
            cuts in prop::collection::vec(0usize..40, 0..6),
        ) {
            let mut matcher = Matcher::new(needles.iter().map(String::as_str));
            let characters: Vec<char> = text.chars().collect();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(characters.len())).collect();
            cuts.sort_unstable();
            let mut start = 0;
            for cut in cuts.into_iter().chain([characters.len()]) {
                matcher.push(&characters[start..cut].iter().collect::<String>());
                start = cut;
            }
            for (at, needle) in needles.iter().enumerate() {
                prop_assert_eq!(matcher.found(at), contains(&text, &fold(needle)), "{} in {}", needle, &text);
            }
        }
    }

    #[test]
    fn a_match_does_not_reach_over_the_end_of_a_text() {
        let mut matcher = Matcher::new(["ab"].into_iter());
        matcher.push("a");
        matcher.end_of_text();
        matcher.push("b");
        assert!(!matcher.found(0));
    }
}
