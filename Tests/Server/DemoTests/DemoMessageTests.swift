import HL7v2
import Testing
import hilum

/// HL7 v2.5.1 §2.5, §3.3.4, §4.4.1, §7.3.1; IHE RAD-4, RAD-28.
@Suite struct DemoMessageTests {
    static let site = DemoSite(begin: 1_795_241_100, offsetMinutes: 330)
    let messages = DemoMessages(site: site)

    func text(_ message: Message, _ path: String) throws -> String? { message.text(at: try FieldPath(path)) }

    @Test("HL7 v2.5.1 §2.9.2: every message asks for the original acknowledgment mode, each under its own control id")
    func headers() throws {
        let all =
            [messages.registration(), messages.newOrder(.scan), messages.newOrder(.followUp)]
            + DemoMessages.ResultStatus.allCases.map { messages.result($0, of: .scan) }
        var ids: Set<[UInt8]> = []
        for bytes in all {
            let message = try Parser().parse(bytes)
            #expect(!message.header.isEnhancedMode)
            #expect(message.header.version == "2.5.1")
            #expect(message.header.processingID == "P")
            #expect(ids.insert(message.header.controlID).inserted)
            #expect(try text(message, "PID-3.1") == DemoSite.patientID)
            #expect(try text(message, "PID-3.4") == DemoSite.patientNamespace)
            #expect(try text(message, "PV1-19.1") == DemoSite.visitNumber)
        }
    }

    @Test("IHE RAD-4: the order names placer, filler, accession, procedure, step, station, modality and study")
    func order() throws {
        for order in [DemoOrder.scan, .followUp] {
            let message = try Parser().parse(messages.newOrder(order))
            for (path, wanted) in [
                ("ORC-1", "NW"), ("ORC-2.1", order.placerNumber), ("ORC-3.1", order.fillerNumber),
                ("OBR-18.1", order.accessionNumber), ("OBR-18.2", "RIS"), ("OBR-19", order.requestedProcedureID),
                ("OBR-20", order.stepID), ("OBR-21", DemoSite.modalityTitle), ("OBR-24", "CT"),
                ("ZDS-1.1", order.studyInstanceUID),
            ] {
                #expect(try text(message, path) == wanted, "\(path)")
            }
            #expect(order.accessionNumber.count <= 16)
            #expect(order.stepID.count <= 16)
            #expect(order.requestedProcedureID.count <= 16)
        }
    }

    @Test("HL7 v2.5.1 §2.A.22: times carry the site's offset, and the follow-up is on the next day")
    func times() throws {
        let start = try text(Parser().parse(messages.newOrder(.scan)), "TQ1-7") ?? ""
        #expect(start.hasSuffix("+0530"))
        #expect(start.hasPrefix(Self.site.date() + Self.site.time()))
        let next = try text(Parser().parse(messages.newOrder(.followUp)), "TQ1-7") ?? ""
        #expect(next.hasPrefix(Self.site.date(minutes: 24 * 60)))
        #expect(!next.hasPrefix(Self.site.date()))
    }

    @Test("HL7 v2.5.1 §7.4.1: the result's states come in order of time, with the study, the number and the document")
    func results() throws {
        var issued: [String] = []
        for status in DemoMessages.ResultStatus.allCases {
            let message = try Parser().parse(messages.result(status, of: .scan))
            #expect(try text(message, "OBR-25") == status.rawValue)
            issued.append(try text(message, "OBR-22") ?? "")
            let findings = message.segments.filter { $0.id == "OBX" }
            #expect(findings.allSatisfy { $0[11].text == status.rawValue })
            #expect(findings.first { $0[3].text == "113014" }?[5].text == DemoOrder.scan.studyInstanceUID)
            #expect(findings.first { $0[2].text == "NM" }?[5].text == DemoMessages.diameter(status))
            let document = findings.first { $0[2].text == "ED" }?[5][1]
            #expect(document?[4].text == "Base64")
            #expect(document?[5].text?.hasPrefix("JVBERi0xLjQ") == true)
        }
        #expect(issued == issued.sorted())
        #expect(Set(issued).count == 3)
    }

    @Test("ISO 32000-1 §7.5.4: the offsets in the PDF's cross-reference table are those of its objects")
    func pdf() throws {
        let bytes = DemoReportPDF.bytes(lines: ["A (round) nodule", "back\\slash"])
        let file = String(decoding: bytes, as: UTF8.self)
        #expect(file.hasPrefix("%PDF-1.4\n"))
        #expect(file.hasSuffix("%%EOF\n"))
        #expect(file.contains("(A \\(round\\) nodule) Tj"))
        #expect(file.contains("(back\\\\slash) Tj"))
        let lines = file.split(separator: "\n")
        let start = try #require(lines.last { Int($0) != nil }.flatMap { Int($0) })
        #expect(String(decoding: bytes[start...].prefix(4), as: UTF8.self) == "xref")
        let offsets = lines.filter { $0.hasSuffix(" 00000 n ") }.compactMap { Int($0.prefix(10)) }
        #expect(offsets.count == 5)
        for (index, offset) in offsets.enumerated() {
            #expect(String(decoding: bytes[offset...].prefix(7), as: UTF8.self) == "\(index + 1) 0 obj")
        }
    }
}
