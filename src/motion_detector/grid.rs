//! The picture that the detector sees: the means of some thousand cells.

/// The most cells across and down. More would find smaller things in more noise.
const MAX_WIDTH: usize = 64;
const MAX_HEIGHT: usize = 48;

/// The brightness of each cell, 0 to 255, row by row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) cells: Vec<f32>,
}

impl Grid {
    /// Takes the means of squares of blocks. The squares at the right and at the bottom
    /// may be cut. `values` are DC coefficients, row by row: eight times the mean of a block,
    /// less 1024.
    pub fn average(&mut self, (width, height): (usize, usize), values: &[i16]) {
        let side = width.div_ceil(MAX_WIDTH).max(height.div_ceil(MAX_HEIGHT)).max(1);
        (self.width, self.height) = (width.div_ceil(side), height.div_ceil(side));
        self.cells.clear();
        // Whole numbers, as the sums of a row of cells are small: 64 x 64 x 2047.
        let mut sums = vec![0_i32; self.width];
        for (at, rows) in values.chunks(width.max(1) * side).enumerate() {
            sums.fill(0);
            for row in rows.chunks(width.max(1)) {
                for (sum, blocks) in sums.iter_mut().zip(row.chunks(side)) {
                    *sum += blocks.iter().map(|value| i32::from(*value)).sum::<i32>();
                }
            }
            let n_down = side.min(height - at * side);
            self.cells.extend(sums.iter().enumerate().map(|(x, sum)| {
                let n = n_down * side.min(width - x * side);
                *sum as f32 / (n * 8) as f32 + 128.0
            }));
        }
    }

    pub(super) fn n_cells(&self) -> usize {
        self.cells.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(width: usize, height: usize, value: impl Fn(usize, usize) -> i16) -> Grid {
        let values: Vec<_> = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).collect();
        let values: Vec<_> = values.into_iter().map(|(x, y)| value(x, y)).collect();
        let mut grid = Grid::default();
        grid.average((width, height), &values);
        grid
    }

    #[test]
    fn cells_are_means_of_squares_and_few() {
        for (size, due) in [
            ((40, 30), (40, 30)),
            ((80, 60), (40, 30)),
            ((160, 90), (54, 30)),
            ((240, 135), (60, 34)),
            ((1024, 1024), (47, 47)),
            ((1, 8000), (1, 48)),
        ] {
            let grid = grid(size.0, size.1, |_, _| -8);
            assert_eq!((grid.width, grid.height), due, "{size:?}");
            assert!(grid.n_cells() == due.0 * due.1 && grid.cells.iter().all(|c| *c == 127.0));
        }
        let halves = grid(100, 2, |x, _| if x % 2 == 0 { -1024 } else { 1016 });
        assert!(halves.cells.iter().all(|cell| *cell == 127.5), "{halves:?}");
        assert_eq!(grid(65, 1, |x, _| if x == 64 { 800 } else { 0 }).cells[32], 228.0);
    }
}
