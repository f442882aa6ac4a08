use std::collections::BTreeMap;
use std::sync::Arc;

use super::node::Node;
use super::reader::Reader;
use super::{Attestation, CalendarUri, Op, OtsError, limits};

/// A message and what is claimed of it: the answer of a calendar, or what follows the digest of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timestamp {
    message: Vec<u8>,
    node: Node,
}

/// What a timestamp takes, in the units of the [`limits`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// How many messages there are, its own included.
    pub messages: usize,
    /// How many bytes its steps read and write.
    pub work: usize,
    /// How many steps follow one another.
    pub depth: usize,
    /// How many attestations there are.
    pub attestations: usize,
    /// How many bytes it is written in.
    pub bytes: usize,
}

/// An attestation and the message that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attested<'a> {
    /// What the steps make of the proof's message on the way to the attestation.
    pub message: Arc<[u8]>,
    /// The attestation.
    pub attestation: &'a Attestation,
}

impl Timestamp {
    /// A message of which nothing is claimed yet.
    ///
    /// # Errors
    ///
    /// If it has not 1 to 4096 bytes.
    pub fn new(message: &[u8]) -> Result<Self, OtsError> {
        Self::checked(message.to_vec(), Node::default())
    }

    /// Reads what is claimed of a message, such as a calendar's answer.
    ///
    /// # Errors
    ///
    /// If the bytes are not exactly one timestamp, or it goes beyond the [`limits`].
    pub fn parse(message: &[u8], bytes: &[u8]) -> Result<Self, OtsError> {
        check_length(bytes)?;
        let mut reader = Reader::new(bytes);
        let mut node = Node::parse(&mut reader)?;
        reader.end(OtsError::TrailingBytes)?;
        node.normalise();
        Self::checked(message.to_vec(), node)
    }

    /// Writes what is claimed, without the message.
    ///
    /// # Errors
    ///
    /// If a branch ends without an attestation.
    pub fn to_bytes(&self) -> Result<Vec<u8>, OtsError> {
        let mut bytes = Vec::new();
        self.node.write(&mut bytes)?;
        Ok(bytes)
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// Whether nothing is claimed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.node.attestations.is_empty() && self.node.branches.is_empty()
    }

    /// Adds an attestation of the message itself.
    #[must_use]
    pub fn attested(mut self, attestation: Attestation) -> Self {
        self.node.attestations.push(attestation);
        self.node.normalise();
        self
    }

    /// The timestamp of an earlier message: by these steps it becomes the message of this one.
    ///
    /// # Errors
    ///
    /// If the steps lead elsewhere, or it gets too deep.
    pub fn behind(self, message: &[u8], ops: Vec<Op>) -> Result<Self, OtsError> {
        // Deeper nodes would be checked by a function that calls itself.
        if ops.len() > limits::DEPTH {
            return Err(OtsError::TooDeep);
        }
        let end = ops.iter().try_fold(message.to_vec(), |message, op| op.apply(&message))?;
        if end != self.message {
            return Err(OtsError::AnotherMessage);
        }
        let chain = |node, op| Node { attestations: Vec::new(), branches: vec![(op, node)] };
        Self::checked(message.to_vec(), ops.into_iter().rev().fold(self.node, chain))
    }

    /// Takes in all that another timestamp claims of the same message.
    ///
    /// # Errors
    ///
    /// If it is of another message, or both together go beyond the limits. This one is then as it was.
    pub fn merge(&mut self, other: Self) -> Result<(), OtsError> {
        if self.message != other.message {
            return Err(OtsError::AnotherMessage);
        }
        let mut node = self.node.clone();
        node.absorb(other.node);
        self.replace(node)
    }

    /// All of these answers in one: those about the message stand side by side, and each of the others is put where the
    /// message that it is about first occurs. Where it occurs nowhere, it is left out, and so is what would be too deep.
    ///
    /// Each is taken in once, so that the whole is no more than its parts, however often a message is repeated.
    ///
    /// # Errors
    ///
    /// If the message has not 1 to 4096 bytes, or all together go beyond the limits.
    pub fn joined<'a>(message: &[u8], answers: impl IntoIterator<Item = &'a Self>) -> Result<Self, OtsError> {
        let mut node = Node::default();
        let mut others: BTreeMap<&[u8], Node> = BTreeMap::new();
        for answer in answers {
            if answer.message == message {
                node.absorb(answer.node.clone());
            } else {
                others.entry(&answer.message).or_default().absorb(answer.node.clone());
            }
        }
        node.normalise();
        node.walk_mut(message, &mut |message, node| {
            if let Some(other) = others.remove(message) {
                node.absorb(other);
            }
        });
        node.prune(limits::DEPTH);
        let mut joined = Self::new(message)?;
        joined.replace(node)?;
        Ok(joined)
    }

    /// Only what so many steps lead to.
    #[must_use]
    pub fn within(mut self, depth: usize) -> Self {
        self.node.prune(depth);
        self
    }

    /// What it takes to keep and to check it.
    #[must_use]
    pub fn cost(&self) -> Cost {
        let mut cost = Cost::default();
        self.node.add_cost(0, &self.message, &mut cost);
        let mut bytes = Vec::new();
        // A branch that attests nothing is not written, and all before it is.
        cost.bytes = self.node.write(&mut bytes).map_or(bytes.len(), |()| bytes.len());
        cost
    }

    /// Keeps the attestations for which the function says so, and the branches that lead to them.
    pub fn retain(&mut self, mut keep: impl FnMut(&[u8], &Attestation) -> bool) {
        self.node.walk_mut(&self.message, &mut |message, node| {
            node.attestations.retain(|attestation| keep(message, attestation));
            node.branches.retain(|(_, node)| !node.attestations.is_empty() || !node.branches.is_empty());
        });
    }

    /// All attestations with their messages, each before those of the branches behind it.
    #[must_use]
    pub fn attestations(&self) -> Vec<Attested<'_>> {
        let mut all = Vec::new();
        self.node.walk(&self.message, &mut |message, node| {
            if !node.attestations.is_empty() {
                let message: Arc<[u8]> = message.into();
                let attested = |attestation| Attested { message: Arc::clone(&message), attestation };
                all.extend(node.attestations.iter().map(attested));
            }
        });
        all
    }

    /// The calendars that will know more, each with the message to ask it about.
    pub fn pending(&self) -> impl Iterator<Item = (&CalendarUri, Arc<[u8]>)> {
        self.attestations().into_iter().filter_map(|attested| match attested.attestation {
            Attestation::Pending(uri) => Some((uri, attested.message)),
            _ => None,
        })
    }

    /// The heights of Bitcoin's blocks that it names, each with what must be the block's Merkle root.
    pub fn bitcoin(&self) -> impl Iterator<Item = (u32, Arc<[u8]>)> {
        self.attestations().into_iter().filter_map(|attested| match attested.attestation {
            Attestation::Bitcoin(height) => Some((*height, attested.message)),
            _ => None,
        })
    }

    fn replace(&mut self, mut node: Node) -> Result<(), OtsError> {
        node.normalise();
        node.check(&self.message)?;
        // It grows answer by answer, and whoever keeps it meanwhile has to be able to read it again.
        let mut bytes = Vec::new();
        match node.write(&mut bytes) {
            // What attests nothing yet cannot be kept.
            Err(OtsError::Empty) => {}
            written => written.and_then(|()| check_length(&bytes))?,
        }
        self.node = node;
        Ok(())
    }

    /// One that keeps to the limits. All others come from such.
    pub(super) fn checked(message: Vec<u8>, node: Node) -> Result<Self, OtsError> {
        let (given, least, most) = (message.len(), 1, limits::MESSAGE);
        if !(least..=most).contains(&given) {
            return Err(OtsError::WrongLength { given: given as u64, least, most });
        }
        node.check(&message)?;
        Ok(Self { message, node })
    }
}

fn check_length(bytes: &[u8]) -> Result<(), OtsError> {
    let most = limits::FILE;
    if bytes.len() > most {
        return Err(OtsError::WrongLength { given: bytes.len() as u64, least: 1, most });
    }
    Ok(())
}
