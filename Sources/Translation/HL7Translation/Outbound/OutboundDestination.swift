import HL7v2
import Workflow

/// A system that is sent messages, and what it is sent: one entry of `destinations` in the site profile.
package struct OutboundDestination: Sendable, Hashable {
    /// What happens in the workflow that a destination may be told of.
    package enum Event: String, Sendable, Hashable, CaseIterable {
        /// An order and what becomes of it.
        case order
        /// A report.
        case result
        /// A person's record.
        case patient
        /// Two records found to be one person's.
        case merge
        /// Images of a study can be fetched.
        case images

        /// The messages that can tell of it.
        package var forms: [OutboundForm] {
            switch self {
            case .order: [.orm, .omg, .omi]
            case .result: [.oru]
            case .patient: [.updatePerson, .addPerson]
            case .merge: [.mergePatient]
            case .images: [.oru, .orm, .omg, .omi]
            }
        }
    }

    /// Which event is told in which message.
    package struct Rule: Sendable, Hashable {
        package var event: Event
        package var form: OutboundForm
        /// Of results: the states that are told; empty for all.
        package var states: Set<Report.Status>
        /// Of orders, results and images: only those of these DICOM modalities; empty for all.
        package var modalities: Set<String>
        package init(
            _ event: Event, _ form: OutboundForm, states: Set<Report.Status> = [], modalities: Set<String> = []
        ) {
            self.event = event
            self.form = form
            self.states = states
            self.modalities = modalities
        }
    }

    /// Which answers are asked for (MSH-15, MSH-16). HL7 v2.5.1 §2.9.
    package enum AcknowledgmentMode: String, Sendable, Hashable {
        /// One answer, AA, AE or AR, after the receiver has worked on it.
        case original
        /// CA, CE or CR once the receiver keeps it; what it makes of it comes later or not at all.
        case accept
    }

    /// What becomes of a message that is answered by anything but an acceptance.
    package enum Reaction: String, Sendable, Hashable {
        /// Sent again, later and later.
        case retry
        /// Kept aside; what follows goes on.
        case park
        /// Kept aside, and what follows of the same patient waits for an operator.
        case stop
    }

    /// Unique in the profile; part of the outbox's destination.
    package var name: String
    /// `application|facility`: MSH-5 and MSH-6, and the peer whose address is dialled.
    package var peer: String
    /// MSH-3.
    package var sendingApplication = "HILUM"
    /// MSH-4.
    package var sendingFacility = ""
    /// MSH-11.
    package var processingID = "P"
    package var role = OrderRole.placer
    package var format = WireFormat()
    package var style = ReportStyle()
    package var acknowledgment = AcknowledgmentMode.original
    /// By MSA-1.
    package var reactions: [String: Reaction] = ["AE": .park, "AR": .retry, "CE": .retry, "CR": .park]
    /// Connections at a time. Messages of one patient follow each other all the same.
    package var connections = 1
    /// Seconds until a connection is open, its TLS handshake included.
    package var connectSeconds: Int64 = 10
    /// Seconds until a message is answered.
    package var answerSeconds: Int64 = 30
    /// Seconds for which a message is tried again.
    package var ageSecondsMax: Int64 = 7 * 86_400
    /// Whether the connection is TLS; the receiver's certificate is checked for this name, nil for the peer's host.
    package var isTLS = false
    package var serverName: String?
    package var rules: [Rule] = []

    package init(name: String, peer: String) {
        self.name = name
        self.peer = peer
    }

    /// The name of its entries in the outbox, and the kind of what it is sent: each destination has a courier of its own.
    package var outboxName: String { Self.outboxPrefix + name }
    package static let outboxPrefix = "hl7/"

    /// The longest name.
    package static let nameBytesMax = 64

    /// MSH-5.
    var receivingApplication: String { String(peer.prefix { $0 != "|" }) }
    /// MSH-6.
    var receivingFacility: String { String(peer.drop { $0 != "|" }.dropFirst()) }
}
