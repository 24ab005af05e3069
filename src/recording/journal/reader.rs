//! Finds events in the files.

use std::collections::VecDeque;

use super::super::store::folder::Folder;
use super::writer::{self, events, name, numbers};
use crate::events::{Event, Filter};

/// The newest `n_most` events that pass, in order.
pub(super) fn read(folder: &Folder, filter: &Filter, n_most: usize) -> VecDeque<Event> {
    let mut found = VecDeque::new();
    for number in numbers(folder).unwrap_or_default() {
        // One that was deleted in this moment has no events that are wanted.
        let text = folder.read(&name(number)).and_then(|file| writer::read(&file));
        let Ok(text) = text else { continue };
        for event in events(&text).filter(|event| filter.passes(event)) {
            found.push_back(event);
            if found.len() > n_most {
                found.pop_front();
            }
        }
    }
    // Numbers grow, so only two programs in one folder put them out of order.
    found.make_contiguous().sort_unstable_by_key(|event| event.id);
    found.retain(Event::is_sound);
    found
}
