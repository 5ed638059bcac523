//! Conway's Game of Life on a torus: a glider crosses it and comes back.
//!
//! ```text
//! cargo run --release --example game_of_life
//! ```
//!
//! The board is cut into blocks of 5 cells, which the glider does not notice. It moves by one cell down and to the right in
//! four generations, so that on 16 cells it is back after 64.

use std::error::Error;

use chunkwise::Boundary;
use chunkwise::ndarray::Array2;
use chunkwise::prelude::*;

const SIDE: usize = 16;
const GLIDER: [(usize, usize); 5] = [(0, 1), (1, 2), (2, 0), (2, 1), (2, 2)];

fn main() -> Result<(), Box<dyn Error>> {
    let start = Array2::from_shape_fn((SIDE, SIDE), |cell| u8::from(GLIDER.contains(&cell)));
    let mut board = LazyArray::from_ndarray(&start, 5);
    let mut boards = vec![board.clone()];
    for _ in 0..4 {
        for _ in 0..SIDE {
            board = generation(&board);
        }
        boards.push(board.clone());
    }
    let boards = chunkwise::compute(boards.iter().collect::<Vec<_>>())?;
    for (quarter, board) in boards.iter().enumerate() {
        println!("generation {}\n{}", quarter * SIDE, drawn(board));
    }
    let moved =
        Array2::from_shape_fn((SIDE, SIDE), |(i, j)| start[[(i + SIDE - 4) % SIDE, (j + SIDE - 4) % SIDE]]);
    if boards[1] != moved || boards[4] != start {
        return Err("the glider is not where it should be".into());
    }
    println!("the glider is back");
    Ok(())
}

/// A cell lives when it has three neighbours, or two and lived before.
fn generation(board: &LazyArray2<u8>) -> LazyArray2<u8> {
    board.stencil([1, 1], Boundary::Periodic, |n| {
        let above = n[[-1, -1]] + n[[-1, 0]] + n[[-1, 1]];
        let below = n[[1, -1]] + n[[1, 0]] + n[[1, 1]];
        let neighbours = above + n[[0, -1]] + n[[0, 1]] + below;
        u8::from(neighbours == 3 || (neighbours == 2 && n[[0, 0]] == 1))
    })
}

fn drawn(board: &Array2<u8>) -> String {
    let row = |cells: chunkwise::ndarray::ArrayView1<'_, u8>| {
        let cells: Vec<&str> = cells.iter().map(|&cell| if cell == 1 { "#" } else { "." }).collect();
        cells.join(" ") + "\n"
    };
    board.rows().into_iter().map(row).collect()
}
