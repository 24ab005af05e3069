//! Which cells of the grid lie around one of them.

/// The cells `by` away to the left, right, above and below.
pub(super) fn straight(
    cell: usize,
    width: usize,
    n_cells: usize,
    by: usize,
) -> impl Iterator<Item = usize> {
    let x = cell % width;
    [
        (x >= by).then(|| cell - by),
        (x + by < width).then(|| cell + by),
        cell.checked_sub(by * width),
        Some(cell + by * width).filter(|other| *other < n_cells),
    ]
    .into_iter()
    .flatten()
}

/// The cells around a cell, up to two away: a thing often falls into pieces where it is as
/// bright as the background.
pub(super) fn neighbours(cell: usize, width: usize, n_cells: usize) -> impl Iterator<Item = usize> {
    const REACH: usize = 2;
    let (x, y, height) = (cell % width, cell / width, n_cells / width);
    let columns = x.saturating_sub(REACH)..=(x + REACH).min(width - 1);
    let rows = y.saturating_sub(REACH)..=(y + REACH).min(height - 1);
    rows.flat_map(move |row| columns.clone().map(move |column| row * width + column))
}
