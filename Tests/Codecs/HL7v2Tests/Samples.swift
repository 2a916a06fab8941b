@testable import HL7v2

/// Messages made up for these tests; every name and number is invented.
enum Samples {
    static let adt = lines(
        "MSH|^~\\&|REG|NORTH|HILUM|NORTH|20261121083000+0100||ADT^A04^ADT_A01|REG-0001|P|2.5.1|||||CHE|UNICODE UTF-8",
        "EVN|A04|20261121083000|||^ADMITTER^ANNA",
        "PID|1||P-4711^^^NORTH&2.999.1&ISO^MR~756.1234.5678.97^^^AHV^SS||Muster^Maxine^Q^Jr^Dr^^L~Muster^Mimi^^^^^N||19750315|F|||"
            + "Am Weg 5^Hinterhaus^Beispielwil^ZH^8999^CHE^H||+41 44 555 12 34^PRN^PH~^NET^Internet^maxine@example.org|"
            + "+41 44 555 99 99^WPN^PH|de^German^ISO639|M^Married^HL70002",
        "PV1|1|O|RAD^A1^1^NORTH||||7001^Arzt^Adele^^^Dr|7002^Zuweiser^Zora|||||||||||V-100^^^NORTH^VN|||||||||||||||||||||||||20261121082900",
        "ZZZ|local")

    static func lines(_ lines: String...) -> [UInt8] { Array((lines.joined(separator: "\r") + "\r").utf8) }

    static func parse(_ bytes: [UInt8]) throws -> Message { try Parser().parse(bytes) }

    static func header(_ rest: String = "") -> String {
        "MSH|^~\\&|A|B|C|D|20260101||ADT^A08|M1|P|2.5" + rest
    }
}
