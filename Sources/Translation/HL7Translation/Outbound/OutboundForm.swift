/// The messages that can be sent, by their names in the site profile.
package enum OutboundForm: String, Sendable, Hashable, CaseIterable {
    case orm = "ORM^O01"
    case omg = "OMG^O19"
    case omi = "OMI^O23"
    case oru = "ORU^R01"
    case addPerson = "ADT^A28"
    case updatePerson = "ADT^A31"
    case mergePatient = "ADT^A40"

    /// MSH-9.1, MSH-9.2 and, from 2.3.1 on, MSH-9.3.
    var messageType: [String] {
        switch self {
        case .orm: ["ORM", "O01", "ORM_O01"]
        case .omg: ["OMG", "O19", "OMG_O19"]
        case .omi: ["OMI", "O23", "OMI_O23"]
        case .oru: ["ORU", "R01", "ORU_R01"]
        case .addPerson: ["ADT", "A28", "ADT_A05"]
        case .updatePerson: ["ADT", "A31", "ADT_A05"]
        case .mergePatient: ["ADT", "A40", "ADT_A39"]
        }
    }

    /// Whether it tells of an order.
    var isOrder: Bool { self == .orm || self == .omg || self == .omi }
}
