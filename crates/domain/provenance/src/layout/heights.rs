//! The height of every place: near its neighbours, in the order of its column, without overlap.

use super::Place;

/// How often the columns are swept, there and back counted singly.
const SWEEPS: usize = 40;

pub(super) fn assign(places: &mut [Place], columns: &[Vec<usize>]) {
    for column in columns {
        settle(places, column, &vec![(0.0, 1.0); column.len()]);
    }
    for sweep in 0..SWEEPS {
        let onwards = sweep % 2 == 0;
        // In the end both sides count, so that nothing hangs on one of them.
        let both = sweep + 10 > SWEEPS;
        for step in 0..columns.len() {
            let column = &columns[if onwards { step } else { columns.len() - 1 - step }];
            let wishes: Vec<_> = column.iter().map(|&n| wish(places, n, both || onwards, both || !onwards)).collect();
            settle(places, column, &wishes);
        }
    }
}

/// Where a place would like to be, and how much that matters. Long edges pull themselves straight.
fn wish(places: &[Place], n: usize, from_before: bool, from_after: bool) -> (f64, f64) {
    let before = places[n].before.iter().filter(|_| from_before);
    let neighbours = before.chain(places[n].after.iter().filter(|_| from_after));
    let (mut sum, mut weight) = (0.0, 0.0);
    for &neighbour in neighbours {
        let pull = match (places[n].is_node, places[neighbour].is_node) {
            (true, true) => 1.0,
            (false, false) => 8.0,
            _ => 2.0,
        };
        sum += pull * places[neighbour].height;
        weight += pull;
    }
    if weight > 0.0 { (sum / weight, weight) } else { (places[n].height, 0.1) }
}

/// Moves a column as near to its wishes as order and room allow, by least squares: isotonic regression, in which
/// neighbours that would overlap are pooled to a block that goes where its members wish on average.
fn settle(places: &mut [Place], column: &[usize], wishes: &[(f64, f64)]) {
    // Of each block: wish and weight together, and how many it holds. Wishes are taken without the room before them.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::with_capacity(column.len());
    let mut offsets = Vec::with_capacity(column.len());
    let mut room = 0.0;
    for (&n, &(wish, weight)) in column.iter().zip(wishes) {
        let offset = room + places[n].room / 2.0;
        room += places[n].room;
        offsets.push(offset);
        let mut block = (wish - offset, weight, 1);
        while let Some(&(wish, weight, count)) = blocks.last() {
            if wish <= block.0 {
                break;
            }
            blocks.pop();
            let together = weight + block.1;
            block = ((wish * weight + block.0 * block.1) / together, together, count + block.2);
        }
        blocks.push(block);
    }
    let settled = blocks.iter().flat_map(|&(wish, _, count)| std::iter::repeat_n(wish, count));
    for ((&n, wish), offset) in column.iter().zip(settled).zip(offsets) {
        places[n].height = wish + offset;
    }
}
