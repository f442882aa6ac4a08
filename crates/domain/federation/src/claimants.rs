//! Which claims of strangers are kept, when more come than there is room for: whoever claims a content first a hundred
//! times over must not keep out who made it.

use crate::Iri;
use artdag_kernel::Instant;
use std::cmp::Reverse;
use std::collections::HashMap;

/// A claim of somebody elsewhere to a content, as far as it counts for which are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimant {
    /// The object that claims it.
    pub object: Iri,
    /// Whether somebody here follows its actor.
    pub is_followed: bool,
    /// Whether a signature in the claim itself was found good.
    pub is_signed: bool,
    /// Whether it was withdrawn.
    pub is_withdrawn: bool,
    /// When it was first heard of.
    pub received_at: Instant,
}

/// Whether there is room for one more claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Room {
    /// There is.
    Free,
    /// If this one goes.
    InPlaceOf(Iri),
    /// There is none: all others are worth more.
    None,
}

/// Whether a new claim is kept beside or in place of these, of which there may be `most`. Those of followed actors are
/// worth most, then those that stand, then signed ones. Of equals the host with the most claims loses its latest: many
/// names of one server are one stranger.
pub fn room_for(new: &Claimant, kept: &[Claimant], most: usize) -> Room {
    if kept.len() < most || kept.iter().any(|claim| claim.object == new.object) {
        return Room::Free;
    }
    let mut of_host: HashMap<&str, usize> = HashMap::new();
    for claim in kept.iter().chain([new]).filter(|claim| !claim.is_followed) {
        *of_host.entry(claim.object.host()).or_default() += 1;
    }
    let worth = |claim: &&Claimant| {
        let crowd = of_host.get(claim.object.host()).copied();
        (claim.is_followed, !claim.is_withdrawn, claim.is_signed, Reverse(crowd), Reverse(claim.received_at))
    };
    // Of equals the first: the new one goes before it goes in place of its like.
    match [new].into_iter().chain(kept).min_by_key(worth) {
        Some(weakest) if weakest.object != new.object => Room::InPlaceOf(weakest.object.clone()),
        _ => Room::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn claim(host: &str, n: i64) -> Claimant {
        Claimant {
            object: format!("https://{host}/objects/{n}").parse().unwrap(),
            is_followed: false,
            is_signed: false,
            is_withdrawn: false,
            received_at: DateTime::from_timestamp(n, 0).unwrap(),
        }
    }

    #[test]
    fn what_is_worth_more_takes_the_place_of_what_is_worth_less() {
        let signed = |claim: Claimant| Claimant { is_signed: true, ..claim };
        let followed = |claim: Claimant| Claimant { is_followed: true, ..claim };
        let withdrawn = |claim: Claimant| Claimant { is_withdrawn: true, ..claim };
        let in_place_of = |claim: &Claimant| Room::InPlaceOf(claim.object.clone());
        let (a1, a2, b3, c9) =
            (claim("a.example", 1), claim("a.example", 2), claim("b.example", 3), claim("c.example", 9));
        let kept = [a1.clone(), a2.clone(), b3.clone()];
        for (new, kept, room) in [
            (c9.clone(), &kept[..2], Room::Free),
            (b3.clone(), &kept[..], Room::Free),
            (c9.clone(), &kept[..], in_place_of(&a2)),
            (claim("a.example", 9), &kept[..], Room::None),
            (signed(claim("a.example", 9)), &kept[..], in_place_of(&a2)),
            (c9.clone(), &[signed(a1.clone()), signed(a2.clone()), signed(b3.clone())], Room::None),
            (signed(c9.clone()), &[signed(a1.clone()), signed(a2.clone()), signed(b3.clone())], in_place_of(&a2)),
            (signed(c9.clone()), &[signed(a1.clone()), followed(a2.clone()), followed(b3.clone())], Room::None),
            (followed(c9.clone()), &[signed(a1.clone()), followed(a2.clone()), b3.clone()], in_place_of(&b3)),
            (c9.clone(), &[signed(withdrawn(a1.clone())), a2.clone(), b3.clone()], in_place_of(&a1)),
            (c9.clone(), &[followed(a1.clone()), followed(a2.clone()), followed(b3.clone())], Room::None),
        ] {
            assert_eq!(room_for(&new, kept, 3), room, "{new:?} beside {kept:#?}");
        }
    }
}
