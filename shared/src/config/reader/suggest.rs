//! "Did you mean …?"

/// Longest word that is worth a guess, in bytes; guessing takes the product of both lengths.
const WORD_BYTES_MAX: usize = 64;
/// Jaro-Winkler similarity, 0 to 1, from which a word is offered although many letters differ: it forgives a missing
/// or a wrong ending, such as the unit's.
const SIMILARITY_MIN: f64 = 0.88;

/// The one of `known` that `word` was probably meant to be.
pub(super) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    if word.len() > WORD_BYTES_MAX {
        return None;
    }
    let word = word.to_lowercase().replace(['-', ' '], "_");
    let edits_max = (word.chars().count() / 3).max(1);
    known
        .map(|candidate| (strsim::jaro_winkler(&word, candidate), candidate))
        .filter(|(similarity, candidate)| {
            *similarity >= SIMILARITY_MIN || strsim::damerau_levenshtein(&word, candidate) <= edits_max
        })
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn typos_and_forgotten_units_are_guessed_and_other_words_are_not() {
        let known = ["enter_radius_m", "leave_radius_m", "visible_max", "center_m", "height_m"];
        for (word, meant) in [
            ("enter_raduis_m", Some("enter_radius_m")),
            ("Leave-Radius-M", Some("leave_radius_m")),
            ("visible", Some("visible_max")),
            ("centre_m", Some("center_m")),
            ("centre", Some("center_m")),
            ("height", Some("height_m")),
            ("gravity", None),
            ("x", None),
        ] {
            assert_eq!(nearest(word, known.into_iter()), meant, "{word}");
        }
    }
}
