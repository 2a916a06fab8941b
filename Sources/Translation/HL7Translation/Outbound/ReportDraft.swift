import Basics
import HL7v2
import Workflow

/// A report as the ORDER_OBSERVATION group of ORU^R01: the way back of `ResultMessage`. HL7 v2.5.1 §7.3.1, IHE RAD-28.
struct ReportDraft {
    let types: WireTypes
    let style: ReportStyle

    /// - Parameter orders: those that it reports on, its own first.
    func group(_ report: Report, orders: [ImagingOrder]) -> [SegmentDraft] {
        let order = orders.first
        var orc = SegmentDraft("ORC")
        orc[1] = FieldDraft(.key("RE"))
        orc[2] = types.ei(report.placer ?? order?.placer, default: types.profile.placerSystem)
        orc[3] = types.ei(report.filler ?? order?.filler, default: types.profile.fillerSystem)
        var segments = [orc, obr(report, order, numbers: (orc[2], orc[3]))]
        var count = 0
        func add(_ make: (Int) -> [SegmentDraft]) {
            count += 1
            segments += make(count)
        }
        let isWithdrawn = report.status == .enteredInError
        if style.contents.contains(.text) {
            for section in sections(report) {
                for obx in text(section, report) { add { number in [numbered(obx, number)] } }
            }
        }
        if style.contents.contains(.observations) {
            for observation in report.observations {
                add { number in
                    var finding = ObservationDraft.Finding(
                        code: observation.code, status: isWithdrawn ? .enteredInError : observation.status,
                        value: observation.value)
                    finding.referenceRange = observation.referenceRange
                    finding.interpretation = observation.interpretation
                    finding.effective = observation.effective
                    finding.notes = observation.notes
                    finding.attributes = observation.attributes ?? [:]
                    return ObservationDraft(types: types).segments(finding, setID: number)
                }
            }
        }
        if style.contents.contains(.documents) {
            for form in report.presentedForms where !isText(form, of: report) {
                add { number in [numbered(document(form, report), number)] }
            }
        }
        if isWithdrawn, count == 0 {
            // A report without content is withdrawn by a line of its own: what has no OBX-11 is only corrected.
            let line = Section(isImpression: false, lines: ["Withdrawn"])
            for obx in text(line, report) { add { number in [numbered(obx, number)] } }
        }
        for uid in report.studyInstanceUIDs { add { number in [numbered(study(uid), number)] } }
        if style.contents.contains(.link), let link = style.link(of: report.studyInstanceUIDs.first) {
            add { number in [numbered(self.link(link, report), number)] }
        }
        return segments
    }

    private func numbered(_ obx: SegmentDraft, _ number: Int) -> SegmentDraft {
        var obx = obx
        obx[1] = FieldDraft(.key(String(number)))
        return obx
    }

    private func obr(
        _ report: Report, _ order: ImagingOrder?, numbers: (placer: FieldDraft, filler: FieldDraft)
    ) -> SegmentDraft {
        var obr = SegmentDraft("OBR")
        obr[1] = FieldDraft(.key("1"))
        obr[2] = numbers.placer
        obr[3] = numbers.filler
        obr[4] = types.cwe(report.code)
        obr[7] = FieldDraft(types.ts(report.effective))
        obr[16] = types.xcn([order?.requester].compactMap { $0 })
        obr[18] = types.accession(order?.accession)
        obr[19] = FieldDraft(.key(order?.requestedProcedureID))
        obr[22] = FieldDraft(types.ts(report.issued))
        obr[24] = FieldDraft(.key(report.category?.codings.first?.code))
        obr[25] = FieldDraft(.key(WireTypes.code(report.status)))
        // OBR-32 has one interpreter, OBR-33 the others.
        obr[32] = types.ndl(Array(report.interpreters.prefix(1)))
        obr[33] = types.ndl(Array(report.interpreters.dropFirst()))
        obr[34] = types.ndl(report.attributes?.parties(ClinicalStatement.Name.performers) ?? [])
        return obr
    }

    /// OBX-11 of what is not a finding of its own.
    private func status(_ report: Report) -> FieldDraft {
        switch report.status {
        case .enteredInError: FieldDraft(.key("W"))
        case .cancelled: FieldDraft(.key("X"))
        case .registered, .partial, .preliminary: FieldDraft(.key("P"))
        case .final: FieldDraft(.key("F"))
        case .amended, .corrected, .appended: FieldDraft(.key("C"))
        }
    }

    // MARK: Text

    /// A part of the text under one code.
    private struct Section {
        var isImpression: Bool
        var lines: [String]
    }

    /// The first form in plain text is the report's text.
    private func isText(_ form: PresentedForm, of report: Report) -> Bool {
        guard form.isPlainText else { return false }
        return form == report.presentedForms.first(where: \.isPlainText)
    }

    /// The report's text, the lines of its impression apart: where it has them, they are not told twice.
    private func sections(_ report: Report) -> [Section] {
        let text = report.presentedForms.first(where: \.isPlainText).map {
            String(decoding: $0.data, as: UTF8.self)
        }
        func lines(_ text: String) -> [String] {
            text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }.map(String.init)
        }
        let all = text.map(lines) ?? []
        guard let conclusion = report.conclusion, !conclusion.isEmpty else {
            return all.isEmpty ? [] : [Section(isImpression: false, lines: all)]
        }
        let impression = lines(conclusion)
        guard let start = all.indices.last(where: { all[$0...].starts(with: impression) }) else {
            let own = Section(isImpression: true, lines: impression)
            return all.isEmpty ? [own] : [Section(isImpression: false, lines: all), own]
        }
        // The heading is the name of the section.
        var before = Array(all[..<start])
        if let heading = before.last, ["IMPRESSION:", "CONCLUSION:"].contains(heading.uppercased()) {
            before.removeLast()
            if before.last == "" { before.removeLast() }
        }
        let after = Array(all[(start + impression.count)...])
        return [
            Section(isImpression: false, lines: before), Section(isImpression: true, lines: impression),
            Section(isImpression: false, lines: after),
        ].filter { !$0.lines.isEmpty }
    }

    /// Characters in one OBX of text, a line that is longer excepted: less than every version has room for.
    private static let charactersMax = 30_000

    /// A section as one OBX of type FT, or of several where it is long; as TX one OBX for each line.
    private func text(_ section: Section, _ report: Report) -> [SegmentDraft] {
        func obx(_ leaf: Leaf) -> SegmentDraft {
            var obx = SegmentDraft("OBX")
            obx[2] = FieldDraft(.key(style.isFormatted ? "FT" : "TX"))
            obx[3] =
                section.isImpression
                ? FieldDraft(components: [.key("19005-8"), .text("Impression"), .key("LN")])
                : FieldDraft(components: [.key("59776-5"), .text("Findings"), .key("LN")])
            obx[5] = FieldDraft(leaf)
            obx[11] = status(report)
            obx[14] = FieldDraft(types.ts(report.effective))
            return obx
        }
        let pieces = section.lines.flatMap { Self.pieces($0) }
        guard style.isFormatted else { return pieces.map { obx($0.isEmpty ? .text(" ") : .text($0)) } }
        var parts: [[String]] = [[]]
        var length = 0
        for line in pieces {
            if length > 0, length + line.count > Self.charactersMax {
                parts.append([])
                length = 0
            }
            parts[parts.count - 1].append(line)
            length += line.count + 5
        }
        return parts.map { obx(.formatted($0.joined(separator: "\n"))) }
    }

    private static func pieces(_ line: String) -> [String] {
        guard line.utf8.count > charactersMax else { return [line] }
        var pieces: [String] = []
        var rest = line[...]
        while !rest.isEmpty {
            pieces.append(String(rest.prefix(charactersMax / 2)))
            rest = rest.dropFirst(charactersMax / 2)
        }
        return pieces
    }

    // MARK: Documents and studies

    /// ED with the bytes in base 64. §2.A.24.
    private func document(_ form: PresentedForm, _ report: Report) -> SegmentDraft {
        let type = form.contentType.prefix { $0 != ";" }.lowercased()
        let (kind, name): (String, String) =
            switch type {
            case "application/pdf": ("AP", "PDF")
            case "image/jpeg": ("IM", "JPEG")
            case "image/png": ("IM", "PNG")
            case "text/html": ("TEXT", "HTML")
            case "text/plain": ("TEXT", "PLAIN")
            default: ("AP", type)
            }
        var obx = SegmentDraft("OBX")
        obx[2] = FieldDraft(.key("ED"))
        obx[3] = FieldDraft(components: [.key("18748-4"), .text(form.title ?? "Report"), .key("LN")])
        obx[5] = FieldDraft(components: [
            .empty, .key(kind), .key(name), .key("Base64"), .data(Array(Base64.encode(form.data).utf8)),
        ])
        obx[11] = status(report)
        obx[14] = FieldDraft(types.ts(report.effective))
        return obx
    }

    /// That the images of a study can be fetched: results without words, stored and not read. Table 0123, R.
    func images(_ study: Study, _ order: ImagingOrder?) -> [SegmentDraft] {
        var orc = SegmentDraft("ORC")
        orc[1] = FieldDraft(.key("RE"))
        orc[2] = types.ei(order?.placer, default: types.profile.placerSystem)
        orc[3] = types.ei(order?.filler, default: types.profile.fillerSystem)
        var obr = SegmentDraft("OBR")
        obr[1] = FieldDraft(.key("1"))
        obr[2] = orc[2]
        obr[3] = orc[3]
        let accession = study.attributes.accessionNumber.map {
            Identifier(
                system: study.attributes.accessionSystem ?? types.profile.authorities.defaultAccessionSystem, value: $0)
        }
        obr[4] = types.cwe(
            order?.code ?? CodedConcept(text: study.attributes.studyDescription ?? "Imaging study"))
        obr[18] = types.accession(order?.accession ?? accession)
        obr[25] = FieldDraft(.key("R"))
        var segments = [orc, obr, numbered(self.study(study.studyInstanceUID), 1)]
        if style.contents.contains(.link), let link = style.link(of: study.studyInstanceUID) {
            segments.append(numbered(self.link(link, nil), 2))
        }
        return segments
    }

    /// The study by its UID. PS3.16 CID 29, IHE RAD-28.
    func study(_ uid: String) -> SegmentDraft {
        var obx = SegmentDraft("OBX")
        obx[2] = FieldDraft(.key("ST"))
        obx[3] = FieldDraft(components: [.key("113014"), .text("DICOM Study"), .key("DCM")])
        obx[5] = FieldDraft(.key(uid))
        obx[11] = FieldDraft(.key("F"))
        return obx
    }

    /// Where a viewer shows the study.
    func link(_ address: String, _ report: Report?) -> SegmentDraft {
        var obx = SegmentDraft("OBX")
        obx[2] = FieldDraft(.key(style.isLinkText ? "TX" : "RP"))
        obx[3] = FieldDraft(components: [.key("LINK"), .text("Images"), .key("L")])
        obx[5] =
            style.isLinkText
            ? FieldDraft(.key(address))
            : FieldDraft([
                RepetitionDraft([ComponentDraft([.key(address)]), ComponentDraft(), ComponentDraft([.key("TEXT")])])
            ])
        obx[11] = report.map(status) ?? FieldDraft(.key("F"))
        return obx
    }
}

extension PresentedForm {
    /// Plain text in UTF-8 or in no named set.
    fileprivate var isPlainText: Bool {
        let words = contentType.lowercased().split(separator: ";").map { $0.filter { $0 != " " && $0 != "\"" } }
        return words.first == "text/plain"
            && words.dropFirst().allSatisfy { !$0.hasPrefix("charset=") || $0 == "charset=utf-8" }
    }
}
