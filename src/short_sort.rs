//! Sorts lists that are short by their nature.
//!
//! Each use of the standard library's sort brings its own copy of 3 kB into the
//! program, which is made for lists of any length.

use std::cmp::Ordering;

/// Sorts by insertion: for at most some hundred entries, as the time grows with the
/// square of their number.
pub(crate) fn sort_short<T>(list: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    for end in 1..list.len() {
        let mut at = end;
        while at > 0 && compare(&list[at - 1], &list[at]) == Ordering::Greater {
            list.swap(at - 1, at);
            at -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_in_order_and_equal_entries_stay_as_they_were() {
        let mut list = [(3, 'a'), (1, 'b'), (3, 'c'), (2, 'd'), (1, 'e')];
        sort_short(&mut list, |a, b| a.0.cmp(&b.0));
        assert_eq!(list, [(1, 'b'), (1, 'e'), (2, 'd'), (3, 'a'), (3, 'c')]);
        sort_short(&mut [0; 0], Ord::cmp);
    }
}
