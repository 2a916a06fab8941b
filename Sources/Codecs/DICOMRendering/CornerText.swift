import DICOMData

/// What `annotation` writes into the corners of a picture: whom it shows and how it was made. PS3.18 §8.3.5.1.1.
package struct CornerText: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case patient
        case technique
    }

    /// Letters of a line.
    private static let charactersMax = 64

    /// Lines of the upper left corner.
    let patient: [String]
    /// Lines of the lower left corner.
    let technique: [String]

    /// Of data sets: the attributes that are there.
    ///
    /// - Parameters:
    ///   - dataSet: of the image.
    ///   - patient: what names the patient: an image may name another than it is of. nil where nobody is certain.
    ///   - number: of the frame, from 1; told where there are several.
    package init(_ dataSet: DataSet, patient: DataSet?, kinds: [Kind], number: Int) {
        self.patient = kinds.contains(.patient) ? patient.map(Self.patient) ?? [] : []
        technique = kinds.contains(.technique) ? Self.technique(dataSet, number) : []
    }

    private static func patient(_ dataSet: DataSet) -> [String] {
        let name = dataSet.personName(.patientName).map(ReportDocument.text)
        let born = [dataSet.string(.patientBirthDate).map(date), dataSet.string(.patientSex)].compactMap { $0 }
        return [name, dataSet.string(.patientID), born.isEmpty ? nil : born.joined(separator: " ")]
            .compactMap { $0.map(line) }.filter { !$0.isEmpty }
    }

    private static func technique(_ dataSet: DataSet, _ number: Int) -> [String] {
        func joined(_ parts: [String?]) -> String? {
            let parts = parts.compactMap { $0 }
            return parts.isEmpty ? nil : parts.joined(separator: "  ")
        }
        func labelled(_ label: String, _ tag: Tag, _ unit: String = "") -> String? {
            dataSet.string(tag).map { "\(label) \($0)\(unit.isEmpty ? "" : " " + unit)" }
        }
        let frames = dataSet.int(.numberOfFrames) ?? 1
        let side = dataSet.string(.imageLaterality) ?? dataSet.string(.laterality)
        return [
            joined([dataSet.string(.studyDate).map(date), dataSet.string(.studyTime).map(time)]),
            joined([dataSet.string(.modality), dataSet.string(.bodyPartExamined), dataSet.string(.viewPosition), side]),
            joined([
                labelled("Se", .seriesNumber), labelled("Im", .instanceNumber),
                frames > 1 ? "Fr \(number)/\(frames)" : nil,
            ]),
            joined([
                labelled("kV", .kvp), labelled("mA", .xRayTubeCurrent), labelled("ms", .exposureTime),
                labelled("mAs", .exposure),
            ]),
            joined([
                labelled("TR", .repetitionTime, "ms"), labelled("TE", .echoTime, "ms"),
                labelled("thick", .sliceThickness, "mm"),
            ]),
        ].compactMap { $0.map(line) }.filter { !$0.isEmpty }
    }

    /// YYYYMMDD with dashes; other text as it is.
    private static func date(_ text: String) -> String {
        let digits = Array(text)
        guard digits.count == 8, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return text }
        return "\(String(digits[0..<4]))-\(String(digits[4..<6]))-\(String(digits[6..<8]))"
    }

    /// Hours and minutes of HHMM and more; other text as it is.
    private static func time(_ text: String) -> String {
        let digits = Array(text.prefix(4))
        guard digits.count == 4, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return text }
        return "\(String(digits[0..<2])):\(String(digits[2..<4]))"
    }

    /// A line without what is no letter, cut where it is too long.
    private static func line(_ text: String) -> String {
        let scalars = text.unicodeScalars.filter { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
        return String(String.UnicodeScalarView(scalars.prefix(charactersMax)))
    }

    /// Writes the lines: white, with a black edge so that they are read on any ground. Letters are as large as the
    /// longest line lets them be, on pictures of 256 pixels and less of a scale of 1; what has no room is cut off.
    package func draw(onto picture: inout RenderedImage) throws(RenderingError) {
        let columns = (patient + technique).map { $0.unicodeScalars.count }.max() ?? 0
        guard columns > 0 else { return }
        let wide = Typeface.size(columns: columns, lines: 1, scale: 1).width + 4
        let scale = max(1, min(min(picture.rows, picture.columns) / 256, picture.columns / wide))
        let step = Typeface.lineHeight * scale
        var places: [(text: String, top: Int)] = []
        for (index, text) in patient.enumerated() {
            places.append((text, (Typeface.rise + 2) * scale + index * step))
        }
        let first = picture.rows - technique.count * step
        for (index, text) in technique.enumerated() {
            places.append((text, first + Typeface.rise * scale + index * step))
        }
        var coverage = Coverage(rows: picture.rows, columns: picture.columns)
        // A corner after the other: what lies between them is not looked at.
        for places in [places.prefix(patient.count), places.dropFirst(patient.count)] {
            try Self.draw(places, scale, &coverage, onto: &picture)
        }
    }

    private static func draw(
        _ places: ArraySlice<(text: String, top: Int)>, _ scale: Int, _ coverage: inout Coverage,
        onto picture: inout RenderedImage
    ) throws(RenderingError) {
        for (text, top) in places {
            for (x, y) in [(-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1)] {
                try coverage.text(text, left: (2 + x) * scale, top: top + y * scale, scale: scale)
            }
        }
        try coverage.blend(PresentationColour(grey: 0), onto: &picture)
        for (text, top) in places { try coverage.text(text, left: 2 * scale, top: top, scale: scale) }
        try coverage.blend(.white, onto: &picture)
    }
}
