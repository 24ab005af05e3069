//! Where motion counts: zones and masks, as polygons in shares of the picture.

use super::grid::Grid;

/// Corners in shares of the picture's width and height.
#[derive(Clone, Debug, PartialEq)]
pub struct Polygon(pub Vec<(f32, f32)>);

/// Whether each cell counts: its middle lies in a zone, if there are any, and in no
/// mask.
pub(super) fn counting(grid: &Grid, zones: &[Polygon], masks: &[Polygon]) -> Vec<bool> {
    let middle = |at: usize, n: usize| (at as f32 + 0.5) / n as f32;
    let cells = (0..grid.n_cells())
        .map(|i| (middle(i % grid.width, grid.width), middle(i / grid.width, grid.height)));
    let is_in = |all: &[Polygon], at| all.iter().any(|polygon| contains(polygon, at));
    cells.map(|at| (zones.is_empty() || is_in(zones, at)) && !is_in(masks, at)).collect()
}

/// By the number of sides that a ray to the right crosses.
fn contains(polygon: &Polygon, (x, y): (f32, f32)) -> bool {
    let corners = &polygon.0;
    let mut is_inside = false;
    for (i, (x1, y1)) in corners.iter().enumerate() {
        let (x2, y2) = corners[(i + 1) % corners.len()];
        if (*y1 > y) != (y2 > y) && x < (x2 - x1) * (y - y1) / (y2 - y1) + x1 {
            is_inside = !is_inside;
        }
    }
    is_inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middles_of_cells_decide() {
        let grid = Grid { width: 10, height: 10, cells: vec![0.0; 100] };
        let left = Polygon(vec![(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]);
        let corner = Polygon(vec![(0.0, 0.0), (0.31, 0.0), (0.0, 0.31)]);
        let count = |zones: &[Polygon], masks: &[Polygon]| {
            counting(&grid, zones, masks).iter().filter(|counts| **counts).count()
        };
        assert_eq!(count(&[], &[]), 100);
        assert_eq!(count(std::slice::from_ref(&left), &[]), 50);
        assert_eq!(count(&[], std::slice::from_ref(&left)), 50);
        assert_eq!(count(&[], std::slice::from_ref(&corner)), 94);
        assert_eq!(count(&[left], &[corner]), 44);
    }
}
