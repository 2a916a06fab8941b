import Basics
import HL7v2

/// The HL7 v2 messages of the demo, version 2.5.1, original acknowledgment mode, UTF-8.
package struct DemoMessages: Sendable {
    package let site: DemoSite
    package init(site: DemoSite) { self.site = site }

    /// The states a report goes through, as OBR-25 and OBX-11 say them. HL7 v2.5.1 tables 0123 and 0085.
    package enum ResultStatus: String, Sendable, CaseIterable {
        case preliminary = "P"
        case final = "F"
        case corrected = "C"

        /// DiagnosticReport.status.
        package var fhir: String {
            switch self {
            case .preliminary: "preliminary"
            case .final: "final"
            case .corrected: "corrected"
            }
        }
        /// Minutes from the begin of the demo to OBR-22: all in the past, each after the one before.
        var issuedMinutes: Int {
            switch self {
            case .preliminary: -3
            case .final: -2
            case .corrected: -1
            }
        }
    }

    /// A04: the patient arrives at the scanner. HL7 v2.5.1 §3.3.4.
    package func registration() -> [UInt8] {
        var message = begin(["ADT", "A04", "ADT_A01"], controlID: "DEMO-1")
        message.segment("EVN")
        message.field("A04")
        message.field(raw: site.clock(minutes: -60).bytes)
        patient(&message)
        visit(&message)
        return message.finished()
    }

    /// ORM^O01 with NW: one CT, one step. HL7 v2.5.1 §4.4.1, IHE RAD-4 (ZDS).
    package func newOrder(_ order: DemoOrder) -> [UInt8] {
        var message = begin(["ORM", "O01", "ORM_O01"], controlID: "DEMO-2-\(order.accessionNumber)")
        patient(&message)
        visit(&message)
        message.segment("ORC")
        message.field("NW")
        message.field(components: [order.placerNumber, DemoSite.sendingApplication])
        message.field(components: [order.fillerNumber, DemoSite.accessionNamespace])
        message.skip(1)
        message.field("SC")
        message.skip(3)
        message.field(raw: site.clock(minutes: -50).bytes)
        message.skip(2)
        message.field(components: Self.referrer)
        message.segment("TQ1")
        message.field("1")
        message.skip(5)
        message.field(raw: site.clock(minutes: order.startMinutes).bytes)
        message.skip(1)
        message.field("R")
        observationRequest(&message, order)
        message.segment("ZDS")
        message.field(components: [order.studyInstanceUID, "HILUM", "Application", "DICOM"])
        return message.finished()
    }

    /// ORU^R01 of a state: text, impression, one measurement, the study it reads, and a PDF. HL7 v2.5.1 §7.3.1, IHE RAD-28.
    package func result(_ status: ResultStatus, of order: DemoOrder) -> [UInt8] {
        var message = begin(["ORU", "R01", "ORU_R01"], controlID: "DEMO-3-\(status.rawValue)")
        patient(&message)
        visit(&message)
        message.segment("ORC")
        message.field("RE")
        message.field(components: [order.placerNumber, DemoSite.sendingApplication])
        message.field(components: [order.fillerNumber, DemoSite.accessionNamespace])
        observationRequest(&message, order, status: status)
        var set = 0
        func observation(_ type: String, _ code: [String?], _ value: [String?], unit: [String?] = []) {
            set += 1
            message.segment("OBX")
            message.field("\(set)")
            message.field(type)
            message.field(components: code)
            message.skip(1)
            message.field(components: value)
            message.field(components: unit)
            message.skip(4)
            message.field(status.rawValue)
        }
        observation("HD", ["113014", "DICOM Study", "DCM"], [order.studyInstanceUID])
        for line in Self.text(status) { observation("TX", ["18782-3", "Radiology Study observation", "LN"], [line]) }
        observation("TX", ["19005-8", "Impression", "LN"], [Self.impression(status)])
        observation(
            "NM", ["33728-7", "Size.maximum dimension in Tumor", "LN"], [Self.diameter(status)],
            unit: ["mm", "millimeter", "UCUM"])
        observation(
            "ED", ["PDF", "Report as PDF", "99DEMO"],
            [
                nil, "AP", "PDF", "Base64",
                Base64.encode(DemoReportPDF.bytes(lines: Self.text(status) + [Self.impression(status)])),
            ])
        return message.finished()
    }

    // What the report says; each state says a little more.

    package static func text(_ status: ResultStatus) -> [String] {
        let lines = ["CT of a phantom's chest.", "One round nodule in the right lung."]
        return status == .preliminary ? lines : lines + ["No other finding among the ellipsoids."]
    }

    package static func impression(_ status: ResultStatus) -> String {
        let words = "Solitary nodule of \(diameter(status)) mm in a phantom"
        return status == .preliminary ? words + ", to be confirmed." : words + "."
    }

    /// Millimetres as sent; the correction gives the phantom's true value.
    package static func diameter(_ status: ResultStatus) -> String {
        status == .corrected ? "\(CTPhantom.noduleDiameter)" : "14.2"
    }

    // MARK: segments

    private func begin(_ type: [String], controlID: String) -> MessageBuilder {
        var message = MessageBuilder()
        message.segment("MSH")
        message.field(DemoSite.sendingApplication)
        message.field(DemoSite.sendingFacility)
        message.field("HILUM")
        message.field("HILUM")
        message.field(raw: site.clock().bytes)
        message.skip(1)
        message.field(components: type)
        message.field(controlID)
        message.field("P")
        message.field("2.5.1")
        message.skip(5)
        message.field("UNICODE UTF-8")
        return message
    }

    private func patient(_ message: inout MessageBuilder) {
        message.segment("PID")
        message.field("1")
        message.skip(1)
        message.field(components: [DemoSite.patientID, nil, nil, DemoSite.patientNamespace, "MR"])
        message.skip(1)
        message.field(components: DemoSite.patientName)
        message.skip(1)
        message.field("19700101")
        message.field("F")
    }

    private func visit(_ message: inout MessageBuilder) {
        message.segment("PV1")
        message.field("1")
        message.field("O")
        message.field(components: ["RADIOLOGY"])
        message.skip(4)
        message.field(components: Self.referrer)
        message.skip(10)
        message.field(components: [DemoSite.visitNumber, nil, nil, DemoSite.patientNamespace, "VN"])
    }

    private static let referrer: [String?] = ["DEMO-D-5", "REFERRER", "DEMO"]

    /// OBR of the order, or with a status of its result.
    private func observationRequest(_ message: inout MessageBuilder, _ order: DemoOrder, status: ResultStatus? = nil) {
        message.segment("OBR")
        message.field("1")
        message.field(components: [order.placerNumber, DemoSite.sendingApplication])
        message.field(components: [order.fillerNumber, DemoSite.accessionNamespace])
        message.field(components: ["24627-2", "CT Chest", "LN"])
        message.skip(2)
        message.field(raw: status == nil ? [] : site.clock(minutes: -5).bytes)
        message.skip(5)
        message.field(status == nil ? "A phantom, for the demo" : nil)
        message.skip(2)
        message.field(components: Self.referrer)
        message.skip(1)
        message.field(components: [order.accessionNumber, DemoSite.accessionNamespace])
        message.field(order.requestedProcedureID)
        message.field(order.stepID)
        message.field(DemoSite.modalityTitle)
        message.field(raw: status.map { site.clock(minutes: $0.issuedMinutes).bytes } ?? [])
        message.skip(1)
        message.field("CT")
        message.field(status?.rawValue)
        guard status != nil else { return }
        message.skip(6)
        message.field(raw: Array("DEMO-D-9&READER&DEMO".utf8))
    }
}
