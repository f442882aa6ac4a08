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

    /// Takes in what is claimed of a message that occurs in this timestamp, such as a calendar's answer about one
    /// that was pending.
    ///
    /// # Errors
    ///
    /// If the message does not occur, or both together go beyond the limits. This one is then as it was.
    pub fn insert(&mut self, answer: &Self) -> Result<(), OtsError> {
        let mut places: usize = 0;
        self.node.walk(&self.message, &mut |message, _| places += usize::from(message == answer.message));
        if places == 0 {
            return Err(OtsError::AnotherMessage);
        }
        // Before anything is copied to each of them.
        let size = answer.node.messages().saturating_mul(places).saturating_add(self.node.messages());
        if size > 2 * limits::MESSAGES {
            return Err(OtsError::TooManyMessages);
        }
        let mut node = self.node.clone();
        node.walk_mut(&self.message, &mut |message, node| {
            if message == answer.message {
                node.absorb(answer.node.clone());
            }
        });
        self.replace(node)
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

    /// What is claimed of a message that occurs in it, such as one that a calendar was asked about: of its first
    /// occurrence.
    #[must_use]
    pub fn part(&self, message: &[u8]) -> Option<Self> {
        let mut found = None;
        self.node.walk(&self.message, &mut |at, node| {
            if found.is_none() && at == message {
                found = Some(node);
            }
        });
        // It is part of what keeps to the limits.
        found.map(|node| Self { message: message.to_vec(), node: node.clone() })
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
