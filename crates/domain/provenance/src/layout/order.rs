//! The order of places in their columns, so that few edges cross.

use super::Place;

/// How often the columns are swept, there and back counted singly.
const SWEEPS: usize = 24;

pub(super) fn reduce_crossings(places: &[Place], columns: &mut [Vec<usize>]) {
    let mut at = first_positions(places);
    for column in &mut *columns {
        column.sort_by_key(|&n| at[n]);
        number(column, &mut at);
    }
    let mut best = columns.to_vec();
    let mut fewest = crossings(places, columns, &at);
    for sweep in 0..SWEEPS {
        if fewest == 0 {
            break;
        }
        let onwards = sweep % 2 == 0;
        for step in 1..columns.len() {
            let (this, beside) =
                if onwards { (step, step - 1) } else { (columns.len() - 1 - step, columns.len() - step) };
            let scale = columns[beside].len() as f64 / columns[this].len() as f64;
            let wish = |n: usize| {
                let beside = if onwards { &places[n].before } else { &places[n].after };
                // What has no neighbour there stays about where it is.
                mean(beside.iter().map(|&b| at[b] as f64)).unwrap_or(at[n] as f64 * scale)
            };
            let mut wishes: Vec<(f64, usize)> = columns[this].iter().map(|&n| (wish(n), n)).collect();
            wishes.sort_by(|a, b| a.0.total_cmp(&b.0));
            columns[this] = wishes.into_iter().map(|(_, n)| n).collect();
            number(&columns[this], &mut at);
        }
        swap_neighbours(places, columns, &mut at);
        let now = crossings(places, columns, &at);
        if now < fewest {
            fewest = now;
            best.clone_from_slice(columns);
        }
    }
    columns.clone_from_slice(&best);
}

/// A walk over all connections, so that what belongs together begins side by side.
fn first_positions(places: &[Place]) -> Vec<usize> {
    let mut at = vec![usize::MAX; places.len()];
    let mut next = 0;
    for start in 0..places.len() {
        let mut waiting = vec![start];
        while let Some(n) = waiting.pop() {
            if at[n] == usize::MAX {
                at[n] = next;
                next += 1;
                waiting.extend(places[n].before.iter().chain(&places[n].after).filter(|&&b| at[b] == usize::MAX));
            }
        }
    }
    at
}

fn number(column: &[usize], at: &mut [usize]) {
    for (position, &n) in column.iter().enumerate() {
        at[n] = position;
    }
}

pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// How many pairs of edges cross, by counting inversions with a Fenwick tree.
fn crossings(places: &[Place], columns: &[Vec<usize>], at: &[usize]) -> usize {
    let mut total = 0;
    for pair in columns.windows(2) {
        let mut tree = vec![0; pair[1].len() + 1];
        let mut so_far = 0;
        for &n in &pair[0] {
            let mut ends: Vec<usize> = places[n].after.iter().map(|&b| at[b]).collect();
            ends.sort_unstable();
            for &end in &ends {
                let (mut not_behind, mut i) = (0, end + 1);
                while i > 0 {
                    not_behind += tree[i];
                    i &= i - 1;
                }
                total += so_far - not_behind;
            }
            for end in ends {
                let mut i = end + 1;
                while i < tree.len() {
                    tree[i] += 1;
                    i += i & i.wrapping_neg();
                }
                so_far += 1;
            }
        }
    }
    total
}

/// Lets neighbours in a column change places where that saves a crossing.
fn swap_neighbours(places: &[Place], columns: &mut [Vec<usize>], at: &mut [usize]) {
    for column in columns {
        for upper in 1..column.len() {
            let (a, b) = (column[upper - 1], column[upper]);
            let (mut now, mut swapped) = (0, 0);
            for [ours, theirs] in [[&places[a].before, &places[b].before], [&places[a].after, &places[b].after]] {
                let (crossed, otherwise) = crossings_of_pair(ours, theirs, at);
                now += crossed;
                swapped += otherwise;
            }
            if swapped < now {
                column.swap(upper - 1, upper);
                (at[a], at[b]) = (upper, upper - 1);
            }
        }
    }
}

/// Crossings between the edges of two neighbours in a column, as they stand and the other way round.
fn crossings_of_pair(upper: &[usize], lower: &[usize], at: &[usize]) -> (usize, usize) {
    let sorted = |ends: &[usize]| {
        let mut ends: Vec<usize> = ends.iter().map(|&n| at[n]).collect();
        ends.sort_unstable();
        ends
    };
    let (upper, lower) = (sorted(upper), sorted(lower));
    let before = |some: &[usize], others: &[usize]| -> usize {
        others.iter().map(|end| some.partition_point(|other| other < end)).sum()
    };
    (before(&lower, &upper), before(&upper, &lower))
}
