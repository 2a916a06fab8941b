/// What changed in a unit of work. Observers (the FHIR projection, outboxes) see each event inside the same
/// transaction, once, in order, after the domain service has finished.
package enum DomainEvent: Sendable, Hashable {
    case patientChanged(EntityID)
    /// `retired` was absorbed by `survivor`; everything that referred to it now refers to the survivor.
    case patientsMerged(survivor: EntityID, retired: EntityID)
    case visitChanged(EntityID)
    /// The order or one of its steps.
    case orderChanged(EntityID)
    /// The order is gone: taken back by a client, or found to be another one. Its steps are gone with it.
    case orderRemoved(EntityID, steps: [EntityID])
    /// A step is gone from its order.
    case stepRemoved(EntityID)
    /// The study, its series list, or its links, by Study Instance UID.
    case studyChanged(studyInstanceUID: String)
    /// The study as it is now was published: its instances can be had.
    case studyPublished(studyInstanceUID: String)
    /// The study is in no answer any more: all of it was rejected.
    case studyRemoved(EntityID)
    case reportChanged(EntityID)
    /// The report was found to be another one, which has all that it said.
    case reportRemoved(EntityID)
    /// A performed procedure step was created, or what was told of it has changed.
    case performedStepChanged(sopInstanceUID: String, isNew: Bool)
}
