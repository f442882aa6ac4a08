use super::LogError;
use artdag_anchoring::log::{
    BundleId, ConsistencyPlan, ConsistencyProof, InclusionPlan, InclusionProof, RootPlan, TILE_WIDTH, TileId,
};
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

/// The entries at these places of the log, of which the tree has that size: as far as they are in the tree.
///
/// # Errors
/// [`LogError::Gap`] if they are not stored.
pub async fn list_entries(
    reader: &mut (dyn LogReads + '_),
    from: u64,
    to: u64,
    size: u64,
) -> Result<Vec<Digest>, LogError> {
    let (to, width) = (to.min(size), u64::from(TILE_WIDTH));
    let mut entries = Vec::new();
    let mut at = from;
    while at < to {
        let gap = LogError::Gap { from, to, found: entries.len() };
        let Some(bundle) = BundleId::at_size(at / width, size) else { return Err(gap) };
        let Some(bundle) = reader.find_bundle(bundle).await? else { return Err(gap) };
        let (first, last) = (at % width, (to - at / width * width).min(width));
        let places = first.try_into().unwrap_or(usize::MAX)..last.try_into().unwrap_or(usize::MAX);
        entries.extend_from_slice(bundle.entries().get(places).ok_or(gap)?);
        at += last - first;
    }
    Ok(entries)
}
