//! Substring matching without regard to case, in linear time, over text that comes in pieces.

use memchr::memmem::Finder;

/// Text as it is compared: each character in upper and then lower case, so that also `ß` and `SS` or `ς` and
/// `Σ` are one.
fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

fn fold_into(text: &str, folded: &mut String) {
    if text.is_ascii() {
        let start = folded.len();
        folded.push_str(text);
        if let Some(new) = folded.get_mut(start..) {
            new.make_ascii_lowercase();
        }
    } else {
        folded.extend(text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase));
    }
}

/// Looks for several texts at once in one that streams by.
#[derive(Default)]
pub struct Matcher {
    needles: Vec<Needle>,
    /// Folded text: the end of what came before, then the new piece.
    window: String,
    /// Octets of the longest needle.
    longest: usize,
    /// Needles that are not found yet.
    open: usize,
}

struct Needle {
    finder: Finder<'static>,
    found: bool,
}

/// What a needle costs for each text, however short, in octets looked at.
const NEEDLE: usize = 32;
/// What it costs to fold an octet.
const FOLD: usize = 4;

impl Matcher {
    pub fn add(&mut self, text: &str) {
        let text = fold(text);
        self.longest = self.longest.max(text.len());
        self.needles.push(Needle { finder: Finder::new(&text).into_owned(), found: false });
        self.open += 1;
    }

    /// Forgets what was found.
    pub fn begin(&mut self) {
        self.window.clear();
        self.open = self.needles.len();
        self.needles.iter_mut().for_each(|needle| needle.found = false);
    }

    /// Of the needle that was added so many others later.
    pub fn found(&self, at: usize) -> bool {
        self.needles.get(at).is_some_and(|needle| needle.found)
    }

    pub fn is_done(&self) -> bool {
        self.open == 0
    }

    /// Answers what work it was, in octets looked at.
    pub fn push(&mut self, text: &str) -> usize {
        if self.is_done() {
            return 0;
        }
        fold_into(text, &mut self.window);
        let work = FOLD * text.len() + self.open * (NEEDLE + self.window.len());
        for needle in self.needles.iter_mut().filter(|needle| !needle.found) {
            needle.found = needle.finder.find(self.window.as_bytes()).is_some();
            self.open -= usize::from(needle.found);
        }
        // What may be the begin of a match stays.
        let mut cut = self.window.len().saturating_sub(self.longest.saturating_sub(1));
        while !self.window.is_char_boundary(cut) {
            cut -= 1;
        }
        self.window.drain(..cut);
        work
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

    fn matcher<'a>(texts: impl IntoIterator<Item = &'a str>) -> Matcher {
        let mut matcher = Matcher::default();
        texts.into_iter().for_each(|text| matcher.add(text));
        matcher
    }

    fn contains(text: &str, wanted: &str) -> bool {
        fold(text).contains(&fold(wanted))
    }

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
            let mut matcher = matcher([wanted]);
            matcher.push(text);
            assert_eq!((matcher.found(0), matcher.is_done()), (found, found), "{text} {wanted}");
        }
    }

    proptest! {
        #[test]
        fn pieces_are_searched_as_the_whole(
            text in "[aAbä]{0,40}",
            needles in prop::collection::vec("[abÄ]{0,6}", 1..4),
            cuts in prop::collection::vec(0usize..40, 0..6),
        ) {
            let mut matcher = matcher(needles.iter().map(String::as_str));
            let characters: Vec<char> = text.chars().collect();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(characters.len())).collect();
            cuts.sort_unstable();
            let mut start = 0;
            for cut in cuts.into_iter().chain([characters.len()]) {
                matcher.push(&characters[start..cut].iter().collect::<String>());
                start = cut;
            }
            for (at, needle) in needles.iter().enumerate() {
                prop_assert_eq!(matcher.found(at), contains(&text, needle), "{} in {}", needle, &text);
            }
        }
    }

    #[test]
    fn a_match_does_not_reach_over_the_end_of_a_text() {
        let mut matcher = matcher(["ab"]);
        matcher.push("a");
        matcher.end_of_text();
        matcher.push("b");
        assert!(!matcher.found(0));
    }

    #[test]
    fn what_was_found_is_forgotten_for_the_next_message() {
        let mut matcher = matcher(["a", "b"]);
        matcher.push("ab");
        assert!(matcher.is_done());
        matcher.begin();
        matcher.push("b");
        assert_eq!((matcher.found(0), matcher.found(1), matcher.is_done()), (false, true, false));
    }

    #[test]
    fn work_is_counted_for_each_text_that_is_still_looked_for() {
        let mut matcher = matcher(["a", "b", "c", "d"]);
        let four = matcher.push(&"x".repeat(1000));
        matcher.push("abc");
        let one = matcher.push(&"x".repeat(1000));
        assert!(four > 4000 && one > 1000 && one < four, "{four} {one}");
        matcher.push("d");
        assert_eq!(matcher.push("x"), 0);
    }
}
