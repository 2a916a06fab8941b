import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import Workflow

/// Tells subscribers of workitems by N-EVENT-REPORT: on the association on which they asked something last and that has
/// a context of UPS Event, while it lives, else on a new one on which this side is SCP. PS3.4 §CC.2.4.
///
/// A report says what happened, as it was then; one that is told twice says the same. What is told of one workitem is told
/// in order. The standard asks for no repeats; a day of them bridges a restart.
package struct WorkitemReportCourier: Courier {
    package var policy: DeliveryPolicy {
        var policy = DeliveryPolicy()
        policy.placesPerDestination = 2
        policy.attemptSeconds = 90
        policy.ageSecondsMax = 86_400
        return policy
    }

    private let peers: any PeerDirectory
    private let asking: ReportAssociations
    private let callingAETitle: AETitle
    private let reporter: EventReporter

    /// - Parameter asking: the associations that ``UnifiedProcedureStepSCP`` has noted.
    package init(
        peers: any PeerDirectory, asking: ReportAssociations, calling: PeerCalling,
        associations: OutgoingAssociations, callingAETitle: AETitle
    ) {
        self.peers = peers
        self.asking = asking
        self.callingAETitle = callingAETitle
        reporter = EventReporter(calling: calling, associations: associations)
    }

    package func deliver(_ entry: OutboxEntry) async -> DeliveryOutcome {
        guard let told = WorkitemReport(entry),
            let information = try? DataSetDecoder(transferSyntax: .explicitVRLittleEndian, limits: .stored).decode(
                told.information)
        else { return .permanent("the entry is not one of a workitem") }
        let peer: Peer
        switch await peers.receiver(told.receiver, offering: .ups) {
        case .success(let found): peer = found
        case .failure(let none): return none.outcome
        }
        let report = EventReporter.Report(
            abstractSyntax: UID.unifiedProcedureStepEvent, sopClassUID: UID.unifiedProcedureStepPush,
            sopInstanceUID: told.sopInstanceUID, eventTypeID: told.kind.rawValue, information: information)
        if let invoker = await asking.invoker(peer: told.receiver),
            let context = EventReporter.context(UID.unifiedProcedureStepEvent, of: invoker),
            let status = try? await reporter.send(report, on: context, by: invoker), EventReporter.isTaken(status)
        {
            return .delivered
        }
        guard peer.host != nil, peer.port != nil else {
            return .transient(
                "\(peer.name) has no association here and no host and port: hilum peer set --ae \(peer.name) "
                    + "--host … --port …")
        }
        return await reporter.call(peer, as: callingAETitle, with: report, within: PeerCaller.time)
    }
}
