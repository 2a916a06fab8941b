import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import Workflow

/// Tells peers of performed procedure steps.
package typealias PerformedStepCourier = NoticeCourier<PerformedStepNotice>

/// Tells a peer of a performed procedure step by N-CREATE and N-SET, in the order of each step. PS3.4 §F.7.2.
///
/// What is told is how the step stands when it is told: an N-SET makes up for those before it, and a step that a peer does
/// not know is created there first. So a message that is told twice changes nothing.
package struct PerformedStepNotice: NoticeToPeer {
    package static let name = "a performed step"
    package static let service = Peer.Service.mpps
    /// Of the N-SET of a step that has ended. PS3.4 §F.7.2.2.
    private static let hasEnded: UInt16 = 0xA710
    private let uid: String
    private let phase: PeerNotice.Phase

    package init?(_ content: PeerNotice.Content) {
        guard case .performedStep(let uid, let phase) = content else { return nil }
        (self.uid, self.phase) = (uid, phase)
    }

    package func tell(
        _ peer: Peer, _ entry: OutboxEntry, from store: any WorkflowStore, by caller: PeerCaller
    ) async -> DeliveryOutcome {
        let step: PerformedProcedureStep
        do {
            step = try await store.read(.server(requestID: "mpps")) {
                try PerformedProcedureStepService().step(uid, in: $0)
            }
        } catch is PerformedProcedureStepService.Refusal {
            return .withdrawn("the step is not there any more")
        } catch {
            return .transient("the step cannot be read now")
        }
        // Its end is told by an entry of its own, which follows.
        if phase == .changed, step.status.isFinal { return .delivered }
        let sopClass = UID.modalityPerformedProcedureStep
        return await caller.call(peer, contexts: NormalizedSCU.contexts(sopClass)) { association in
            let scu = try NormalizedSCU(association, sopClassUID: sopClass)
            return phase == .begun ? try await create(step, scu, peer) : try await set(step, scu, peer)
        }
    }

    private func create(_ step: PerformedProcedureStep, _ scu: NormalizedSCU, _ peer: Peer) async throws
        -> DeliveryOutcome
    {
        let status = try await scu.create(step.sopInstanceUID, PerformedStepDataSet.creation(of: step))
        // It has it from us: the answer to an attempt before was lost.
        if status == .duplicateSOPInstance { return .delivered }
        return .answered(status, by: peer.name, to: "N-CREATE")
    }

    private func set(_ step: PerformedProcedureStep, _ scu: NormalizedSCU, _ peer: Peer) async throws
        -> DeliveryOutcome
    {
        let changes = try PerformedStepDataSet.modification(of: step)
        var answer = try await scu.set(step.sopInstanceUID, changes)
        if answer.status == .noSuchSOPInstance {
            let created = try await create(step, scu, peer)
            guard created == .delivered else { return created }
            answer = try await scu.set(step.sopInstanceUID, changes)
        }
        // It has ended there: nothing can be told of it any more, and most likely it was we who told its end.
        return answer.errorID == Self.hasEnded
            ? .delivered : .answered(answer.status, by: peer.name, to: "N-SET")
    }
}
