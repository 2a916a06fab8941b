import DICOMData
import DICOMNetwork
import DICOMTranslation
import NIOCore
import Workflow

/// Reports to peers by N-EVENT-REPORT, as their SCP: on an association that they have opened, or on a new one. PS3.7 §10.1.1.
struct EventReporter: Sendable {
    /// One report.
    struct Report: Sendable {
        /// What is negotiated for it.
        let abstractSyntax: String
        let sopClassUID: String
        let sopInstanceUID: String
        let eventTypeID: UInt16
        let information: DataSet
    }

    let calling: PeerCalling
    let associations: OutgoingAssociations

    static func isTaken(_ status: DIMSEStatus) -> Bool { status.kind == .success || status.kind == .warning }

    /// The context of an association on which reports can be made: by this side, which accepted the association or, with
    /// `opened`, asked for it.
    static func context(
        _ abstractSyntax: String, of invoker: OperationInvoker, opened: Bool = false
    ) -> PresentationContext? {
        invoker.negotiated.contexts.first {
            $0.abstractSyntax == abstractSyntax && $0.permits(.nEventReportRequest, byRequestor: opened)
        }
    }

    /// The answer of the peer; a cancelled task ends the association. Throws ``SCUError``, and ``DICOMDataError`` for what
    /// cannot be encoded.
    func send(
        _ report: Report, on context: PresentationContext, by invoker: OperationInvoker
    ) async throws -> DIMSEStatus {
        let bytes = try context.encoded(report.information)
        return try await withTaskCancellationHandler {
            try await invoker.status(context, bytes) { [report] messageID in
                .nEventReportRequest(
                    messageID: messageID, sopClassUID: report.sopClassUID, sopInstanceUID: report.sopInstanceUID,
                    eventTypeID: report.eventTypeID)
            }
        } onCancel: {
            invoker.abort()
        }
    }

    /// Reports on an association that this side asks for.
    ///
    /// - Parameter time: for all of it; nil for that of the attempt.
    func call(
        _ peer: Peer, as title: AETitle, with report: Report, within time: TimeAmount? = nil
    ) async -> DeliveryOutcome {
        let destination: SCUAssociation.Destination
        do throws(PeerCalling.Problem) {
            destination = try calling.destination(peer, as: title)
        } catch {
            return .transient(error.description)
        }
        var terms = SCUAssociation.Terms()
        // The one that opens the association is the SCP here. PS3.4 §J.3.3, PS3.7 §D.3.3.4.
        terms.roles = [RoleSelection(sopClassUID: report.abstractSyntax, scu: false, scp: true)]
        do {
            return try await associations.with(
                destination, contexts: [(report.abstractSyntax, TransferSyntax.ofIdentifiers)], terms: terms,
                within: time, mayRepeat: true
            ) { lease in
                let invoker = lease.association.invoker
                guard let context = Self.context(report.abstractSyntax, of: invoker, opened: true) else {
                    return .transient("\(peer.name) does not take reports: no context with the SCP role was accepted")
                }
                let status: DIMSEStatus
                do {
                    status = try await send(report, on: context, by: invoker)
                } catch let error as SCUError where lease.isReused && error.isEndByPeer {
                    // It may have ended it before: a new one tells, without what led to the report being done once more.
                    throw error
                } catch {
                    return .transient("\(peer.name) does not answer the report")
                }
                return Self.isTaken(status) ? .delivered : .transient("\(peer.name) answers \(status)")
            }
        } catch {
            return .noAssociation(error, with: peer.name)
        }
    }
}
