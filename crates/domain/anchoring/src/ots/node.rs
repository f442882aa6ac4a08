use super::reader::Reader;
use super::timestamp::Cost;
use super::{Attestation, Op, OtsError, limits};

/// A message's place in a proof, without the message itself: that follows from the steps that lead here.
///
/// No node is deeper than [`limits::DEPTH`], so functions may call themselves for the branches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) attestations: Vec<Attestation>,
    pub(super) branches: Vec<(Op, Node)>,
}

impl Node {
    /// Reads a node and all below it, as it stands there.
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, OtsError> {
        let mut budget = limits::MESSAGES;
        Self::parse_at(0, &mut budget, reader)
    }

    fn parse_at(depth: usize, budget: &mut usize, reader: &mut Reader<'_>) -> Result<Self, OtsError> {
        if depth > limits::DEPTH {
            return Err(OtsError::TooDeep);
        }
        *budget = budget.checked_sub(1).ok_or(OtsError::TooManyMessages)?;
        let mut node = Self::default();
        loop {
            let first = reader.byte()?;
            let is_last = first != 0xff;
            match if is_last { first } else { reader.byte()? } {
                0 => node.attestations.push(Attestation::parse(reader)?),
                tag => {
                    let op = Op::parse(tag, reader)?;
                    node.branches.push((op, Self::parse_at(depth + 1, budget, reader)?));
                }
            }
            if is_last {
                return Ok(node);
            }
        }
    }

    /// Writes the node and all below it.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), OtsError> {
        let mut rest = self.attestations.len() + self.branches.len();
        if rest == 0 {
            return Err(OtsError::Empty);
        }
        // Every item but the last says that another follows.
        let mut item = |out: &mut Vec<u8>| {
            rest -= 1;
            if rest > 0 {
                out.push(0xff);
            }
        };
        for attestation in &self.attestations {
            item(out);
            out.push(0);
            attestation.write(out);
        }
        for (op, node) in &self.branches {
            item(out);
            op.write(out);
            node.write(out)?;
        }
        Ok(())
    }

    /// Takes in what another node for the same message has. To be put in order afterwards.
    pub(super) fn absorb(&mut self, other: Self) {
        self.attestations.extend(other.attestations);
        self.branches.extend(other.branches);
    }

    /// Brings everything into the one order in which it is written, and makes one of branches by the same step.
    ///
    /// From the top down, so that every node is sorted once, however often a step is repeated.
    pub(super) fn normalise(&mut self) {
        self.attestations.sort_unstable();
        self.attestations.dedup();
        self.branches.sort_by(|(one, _), (other, _)| one.cmp(other));
        if self.branches.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            let mut merged: Vec<(Op, Self)> = Vec::new();
            for (op, node) in self.branches.drain(..) {
                match merged.last_mut() {
                    Some((last, known)) if *last == op => known.absorb(node),
                    _ => merged.push((op, node)),
                }
            }
            self.branches = merged;
        }
        for (_, node) in &mut self.branches {
            node.normalise();
        }
    }

    /// Checks that no branch is deeper, longer or more work than it may be.
    pub(super) fn check(&self, message: &[u8]) -> Result<(), OtsError> {
        let mut budget = Budget { messages: limits::MESSAGES, work: limits::WORK };
        budget.spend(0, self, message)
    }

    /// Drops what more steps than these lead to.
    pub(super) fn prune(&mut self, depth: usize) {
        let Some(rest) = depth.checked_sub(1) else { return self.branches.clear() };
        for (_, node) in &mut self.branches {
            node.prune(rest);
        }
        self.branches.retain(|(_, node)| !node.attestations.is_empty() || !node.branches.is_empty());
    }

    /// Adds what it takes to what others take.
    pub(super) fn add_cost(&self, depth: usize, message: &[u8], cost: &mut Cost) {
        cost.messages += 1;
        cost.attestations += self.attestations.len();
        cost.depth = cost.depth.max(depth);
        for (op, node) in &self.branches {
            if let Ok(after) = op.apply(message) {
                cost.work += work(message, &after);
                node.add_cost(depth + 1, &after, cost);
            }
        }
    }

    /// Calls a function for every node with its message, from the top down. The limits were checked, so every step
    /// can be done.
    pub(super) fn walk<'a>(&'a self, message: &[u8], visit: &mut impl FnMut(&[u8], &'a Self)) {
        visit(message, self);
        for (op, node) in &self.branches {
            if let Ok(message) = op.apply(message) {
                node.walk(&message, visit);
            }
        }
    }

    /// The same, with leave to change what a node has itself.
    pub(super) fn walk_mut(&mut self, message: &[u8], visit: &mut impl FnMut(&[u8], &mut Self)) {
        for (op, node) in &mut self.branches {
            if let Ok(message) = op.apply(message) {
                node.walk_mut(&message, visit);
            }
        }
        visit(message, self);
    }
}

/// What a step takes.
const fn work(message: &[u8], after: &[u8]) -> usize {
    limits::STEP + message.len() + after.len()
}

struct Budget {
    messages: usize,
    work: usize,
}

impl Budget {
    fn spend(&mut self, depth: usize, node: &Node, message: &[u8]) -> Result<(), OtsError> {
        if depth > limits::DEPTH {
            return Err(OtsError::TooDeep);
        }
        self.messages = self.messages.checked_sub(1).ok_or(OtsError::TooManyMessages)?;
        for (op, node) in &node.branches {
            let after = op.apply(message)?;
            self.work = self.work.checked_sub(work(message, &after)).ok_or(OtsError::TooMuchWork)?;
            self.spend(depth + 1, node, &after)?;
        }
        Ok(())
    }
}
