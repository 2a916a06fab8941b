import Access
import DICOMNetwork
import DICOMTranslation
import NIOCore
import Workflow

/// Tells peers of performed procedure steps by N-CREATE and N-SET, in the order of each step. PS3.4 §F.7.2.
///
/// What is told is how the step stands when it is told: an N-SET makes up for those before it, and a step that a peer does
/// not know is created there first. So a message that is told twice changes nothing.
package struct PerformedStepCourier: Courier {
    package var policy: DeliveryPolicy {
        var policy = DeliveryPolicy()
        policy.placesPerDestination = 2
        policy.attemptSeconds = 90
        return policy
    }

    private let store: any WorkflowStore
    private let peers: any PeerDirectory
    private let caller: PeerCaller

    package init(store: any WorkflowStore, peers: any PeerDirectory, caller: PeerCaller) {
        self.store = store
        self.peers = peers
        self.caller = caller
    }

    package func deliver(_ entry: OutboxEntry) async -> DeliveryOutcome {
        guard let notice = PeerNotice(entry), case .performedStep(let uid, let phase) = notice.content else {
            return .permanent("the entry is not one of a performed step")
        }
        let peer: Peer
        switch await peers.receiver(notice.peer, offering: .mpps) {
        case .success(let found): peer = found
        case .failure(let none): return none.outcome
        }
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
        return await caller.call(peer, contexts: PerformedStepSCU.contexts) { association in
            let scu = try PerformedStepSCU(association)
            return phase == .begun ? try await create(step, scu, peer) : try await set(step, scu, peer)
        }
    }

    private func create(_ step: PerformedProcedureStep, _ scu: PerformedStepSCU, _ peer: Peer) async throws
        -> DeliveryOutcome
    {
        let status = try await scu.create(step.sopInstanceUID, PerformedStepDataSet.creation(of: step))
        // It has it from us: the answer to an attempt before was lost.
        if status == .duplicateSOPInstance { return .delivered }
        return .answered(status, by: peer.name, to: "N-CREATE")
    }

    private func set(_ step: PerformedProcedureStep, _ scu: PerformedStepSCU, _ peer: Peer) async throws
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
        return answer.hasEnded ? .delivered : .answered(answer.status, by: peer.name, to: "N-SET")
    }
}
