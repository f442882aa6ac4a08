use std::fmt;
use std::str::FromStr;

/// How many blocks must stand on a proof's block, itself included, before the proof is final.
pub const FINAL_CONFIRMATIONS: u32 = 6;

/// How far the stamping of a root has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnchorState {
    /// Too few calendars have answered yet.
    Submitting,
    /// Calendars have promised a proof, or it is not deep enough in the chain.
    Pending,
    /// We have checked a proof ourselves, and it is final.
    Confirmed,
    /// The block of a final proof is no longer in the heaviest chain. The root has to be stamped again.
    Reorged,
    /// An operator has given it up. Nothing else ends an anchor.
    Failed,
}

/// What happens to an anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnchorEvent {
    /// Enough calendars have answered: at first, or when it was stamped again.
    Stamped,
    /// We have found the proof's block in a chain that we believe.
    Verified {
        /// How many blocks stand on it, itself included.
        confirmations: u32,
    },
    /// The block of the proof is not in the chain any more.
    BlockLost,
    /// An operator gives up.
    GivenUp,
    /// It is taken up again.
    Revived,
}

/// What cannot happen in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an anchor that is {state} does not take {event:?}")]
pub struct InvalidTransition {
    state: AnchorState,
    event: AnchorEvent,
}

/// The text names no state of an anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be `submitting`, `pending`, `confirmed`, `reorged` or `failed`")]
pub struct UnknownAnchorState;

impl AnchorState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Submitting, Self::Pending, Self::Confirmed, Self::Reorged, Self::Failed];

    /// The state after an event. What has happened already may happen again, since every step may run twice.
    ///
    /// # Errors
    ///
    /// If that cannot happen in this state.
    pub const fn after(self, event: AnchorEvent) -> Result<Self, InvalidTransition> {
        use AnchorEvent::{BlockLost, GivenUp, Revived, Stamped, Verified};
        Ok(match (self, event) {
            (Self::Submitting | Self::Pending | Self::Reorged, Stamped) => Self::Pending,
            (Self::Pending, Verified { confirmations }) if confirmations >= FINAL_CONFIRMATIONS => Self::Confirmed,
            (Self::Pending, Verified { .. } | BlockLost) => Self::Pending,
            (Self::Confirmed, Verified { .. }) => Self::Confirmed,
            (Self::Confirmed | Self::Reorged, BlockLost) => Self::Reorged,
            (Self::Submitting | Self::Pending | Self::Reorged | Self::Failed, GivenUp) => Self::Failed,
            (Self::Submitting | Self::Failed, Revived) => Self::Submitting,
            (Self::Submitting, Verified { .. } | BlockLost)
            | (Self::Pending, Revived)
            | (Self::Confirmed, Stamped | GivenUp | Revived)
            | (Self::Reorged, Verified { .. } | Revived)
            | (Self::Failed, Stamped | Verified { .. } | BlockLost) => {
                return Err(InvalidTransition { state: self, event });
            }
        })
    }

    /// Whether there is nothing left to do for it, unless its block gets lost.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Confirmed | Self::Failed)
    }

    /// Its name in the store and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submitting => "submitting",
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Reorged => "reorged",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for AnchorState {
    type Err = UnknownAnchorState;

    fn from_str(text: &str) -> Result<Self, UnknownAnchorState> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownAnchorState)
    }
}

impl fmt::Display for AnchorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DEEP: AnchorEvent = AnchorEvent::Verified { confirmations: 6 };
    const SHALLOW: AnchorEvent = AnchorEvent::Verified { confirmations: 5 };

    #[test]
    fn an_anchor_comes_to_rest_and_survives_a_reorg() {
        let steps = [
            (AnchorEvent::Stamped, AnchorState::Pending),
            (SHALLOW, AnchorState::Pending),
            (AnchorEvent::BlockLost, AnchorState::Pending),
            (DEEP, AnchorState::Confirmed),
            (DEEP, AnchorState::Confirmed),
            (AnchorEvent::BlockLost, AnchorState::Reorged),
            (AnchorEvent::Stamped, AnchorState::Pending),
            (DEEP, AnchorState::Confirmed),
        ];
        let mut state = AnchorState::Submitting;
        for (event, expected) in steps {
            state = state.after(event).unwrap();
            assert_eq!(state, expected, "{event:?}");
        }
        assert!(state.is_settled());
    }

    #[test]
    fn what_cannot_happen_is_named() {
        let error = AnchorState::Submitting.after(DEEP).unwrap_err();
        assert!(error.to_string().starts_with("an anchor that is submitting does not take Verified"), "{error}");
    }

    #[test]
    fn names_come_back() {
        for state in AnchorState::ALL {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        assert_eq!("Pending".parse::<AnchorState>(), Err(UnknownAnchorState));
    }

    fn any_event() -> impl Strategy<Value = AnchorEvent> {
        prop_oneof![
            Just(AnchorEvent::Stamped),
            (0..12_u32).prop_map(|confirmations| AnchorEvent::Verified { confirmations }),
            Just(AnchorEvent::BlockLost),
            Just(AnchorEvent::GivenUp),
            Just(AnchorEvent::Revived),
        ]
    }

    proptest! {
        #[test]
        fn only_a_deep_proof_confirms_and_only_an_operator_gives_up(events in proptest::collection::vec(any_event(), 0..40)) {
            let mut state = AnchorState::Submitting;
            for event in events {
                let Ok(next) = state.after(event) else { continue };
                match (state, next) {
                    (AnchorState::Failed, AnchorState::Submitting) => prop_assert_eq!(event, AnchorEvent::Revived),
                    (AnchorState::Failed, next) => prop_assert_eq!(next, AnchorState::Failed),
                    (_, AnchorState::Failed) => prop_assert_eq!(event, AnchorEvent::GivenUp),
                    (AnchorState::Confirmed, AnchorState::Confirmed) => {}
                    (before, AnchorState::Confirmed) => {
                        prop_assert_eq!(before, AnchorState::Pending);
                        let is_deep = matches!(event, AnchorEvent::Verified { confirmations: 6.. });
                        prop_assert!(is_deep, "{:?}", event);
                    }
                    (before, AnchorState::Reorged) => {
                        prop_assert!(matches!(before, AnchorState::Confirmed | AnchorState::Reorged));
                    }
                    (AnchorState::Submitting, AnchorState::Submitting) => {}
                    (_, AnchorState::Submitting) => prop_assert!(false, "nothing leads back to the beginning"),
                    (_, AnchorState::Pending) => {}
                }
                // Every step may run twice.
                prop_assert_eq!(next.after(event), Ok(next));
                state = next;
            }
        }
    }
}
