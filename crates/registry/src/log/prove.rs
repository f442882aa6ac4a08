use super::LogError;
use artdag_anchoring::log::{ConsistencyPlan, ConsistencyProof, InclusionPlan, InclusionProof, RootPlan, TileId};
use artdag_anchoring::{Digest, LogReads};

/// Proves that the activity at the index is in the log of that size, from the tiles that it takes: two a level at most.
///
/// # Errors
/// [`LogError`]; of a size that the tree has not reached it is [`LogError::Tile`].
pub async fn prove_inclusion(
    reader: &mut (dyn LogReads + '_),
    index: u64,
    size: u64,
) -> Result<InclusionProof, LogError> {
    let plan = InclusionPlan::new(index, size)?;
    let tiles = reader.load_tiles(&plan.tiles().collect::<Vec<TileId>>()).await?;
    Ok(plan.prove(&tiles)?)
}

/// Proves that the log only grew from one size to another.
///
/// # Errors
/// [`LogError`]; of a size that the tree has not reached it is [`LogError::Tile`].
pub async fn prove_consistency(
    reader: &mut (dyn LogReads + '_),
    old_size: u64,
    size: u64,
) -> Result<ConsistencyProof, LogError> {
    let plan = ConsistencyPlan::new(old_size, size)?;
    let tiles = reader.load_tiles(&plan.tiles().collect::<Vec<TileId>>()).await?;
    Ok(plan.prove(&tiles)?)
}

/// The root that the log has or had at a size.
///
/// # Errors
/// [`LogError`]; of a size that the tree has not reached it is [`LogError::Tile`].
pub async fn tree_root(reader: &mut (dyn LogReads + '_), size: u64) -> Result<Digest, LogError> {
    let plan = RootPlan::new(size);
    let tiles = reader.load_tiles(&plan.tiles().collect::<Vec<TileId>>()).await?;
    Ok(plan.root(&tiles)?)
}
