import DICOMData
import DICOMRendering
import HTTPSupport
import HTTPTypes

/// The parameters of a request of the URI service. In any order, each at most once; parameters that are not of this list
/// are passed over. PS3.18 §9.1.2, §9.4.1, §9.5.1.
struct URIQuery: Sendable, Equatable {
    static let names = [
        "requestType", "studyUID", "seriesUID", "objectUID", "contentType", "charset", "transferSyntax", "anonymize",
        "annotation", "frameNumber", "rows", "columns", "region", "windowCenter", "windowWidth", "imageQuality",
        "presentationUID", "presentationSeriesUID",
    ]
    /// Those that speak of pictures, and of nothing else.
    private static let ofPictures = ["frameNumber", "rows", "columns", "region", "windowCenter", "windowWidth"]

    /// A part of a picture: fractions of its width and height, from the upper left corner.
    struct Region: Sendable, Equatable {
        var left: Double
        var top: Double
        var right: Double
        var bottom: Double
    }

    let study: String
    let series: String
    let instance: String
    /// Media types as an Accept header has them; nil where none is named.
    let contentType: String?
    let transferSyntax: String?
    /// From 1.
    let frameNumber: Int?
    /// Sides of the picture at most, in pixels.
    let rows: Int?
    let columns: Int?
    let region: Region?
    /// The texts of centre and width.
    let window: (center: String, width: String)?
    let imageQuality: Int?
    let annotation: String?
    /// A parameter that only pictures have; nil for none.
    let pictureParameter: String?

    static func == (a: URIQuery, b: URIQuery) -> Bool {
        (a.study, a.series, a.instance, a.contentType, a.transferSyntax) == (
            b.study, b.series, b.instance, b.contentType, b.transferSyntax
        )
            && (a.frameNumber, a.rows, a.columns, a.region, a.imageQuality) == (
                b.frameNumber, b.rows, b.columns, b.region, b.imageQuality
            ) && a.window?.center == b.window?.center && a.window?.width == b.window?.width
            && a.annotation == b.annotation
    }

    /// Throws `.malformed` for a parameter that is given twice, that has to be there and is not, or whose value is not of
    /// its grammar; for de-identification and presentation states, which are not done here; and `.notAcceptable` for
    /// character sets without UTF-8.
    init(_ query: QueryParameters) throws(HTTPFailure) {
        var values: [String: String] = [:]
        for parameter in query where Self.names.contains(parameter.name) {
            guard values.updateValue(parameter.value, forKey: parameter.name) == nil else {
                throw HTTPFailure(.malformed, "\(parameter.name) is given more than once")
            }
        }
        guard values["requestType"] == "WADO" else { throw HTTPFailure(.malformed, "requestType must be WADO") }
        study = try Self.uid("studyUID", values)
        series = try Self.uid("seriesUID", values)
        instance = try Self.uid("objectUID", values)
        try Self.checkRefused(values)
        contentType = values["contentType"].flatMap { $0.isEmpty ? nil : $0 }
        transferSyntax = values["transferSyntax"].flatMap { $0.isEmpty ? nil : $0 }
        if let transferSyntax, transferSyntax != "*", !UID.isSafe(transferSyntax) {
            throw HTTPFailure(.malformed, "transferSyntax is no UID")
        }
        frameNumber = try Self.number("frameNumber", 1...Int(Int32.max), values)
        rows = try Self.number("rows", 1...Viewport.sideMax, values)
        columns = try Self.number("columns", 1...Viewport.sideMax, values)
        imageQuality = try Self.number("imageQuality", 1...100, values)
        region = try values["region"].map { (text) throws(HTTPFailure) in try Self.region(text) }
        annotation = values["annotation"]
        switch (values["windowCenter"], values["windowWidth"]) {
        case (nil, nil): window = nil
        case (let center?, let width?):
            guard Self.decimal(center) != nil, let number = Self.decimal(width), number >= 1 else {
                throw HTTPFailure(.malformed, "windowCenter and windowWidth are numbers, the width 1 or more")
            }
            window = (center, width)
        default: throw HTTPFailure(.malformed, "windowCenter and windowWidth are given together")
        }
        pictureParameter = Self.ofPictures.first { values[$0] != nil }
    }

    private static func uid(_ name: String, _ values: [String: String]) throws(HTTPFailure) -> String {
        guard let value = values[name], UID.isSafe(value) else {
            throw HTTPFailure(.malformed, "\(name) is absent or no UID")
        }
        return value
    }

    /// What must not be passed over: an object that was to be without names would leave with them, and a picture that was
    /// to be shown by a presentation state would look otherwise.
    private static func checkRefused(_ values: [String: String]) throws(HTTPFailure) {
        if values["anonymize"] != nil {
            throw HTTPFailure(.malformed, "anonymize: nothing is de-identified here")
        }
        if values["presentationUID"] != nil || values["presentationSeriesUID"] != nil {
            throw HTTPFailure(.malformed, "presentationUID: presentation states are not applied here")
        }
        guard let charset = values["charset"], !charset.isEmpty else { return }
        let names = charset.split(separator: ",").map { element in
            element.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
        }
        guard names.contains("utf-8") || names.contains("*") else {
            throw HTTPFailure(.notAcceptable, "available: charset utf-8")
        }
    }

    private static func number(
        _ name: String, _ range: ClosedRange<Int>, _ values: [String: String]
    ) throws(HTTPFailure) -> Int? {
        guard let text = values[name] else { return nil }
        guard !text.isEmpty, text.utf8.count <= 10, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = Int(text), range.contains(number)
        else {
            throw HTTPFailure(
                .malformed, "\(name) is a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// `x1,y1,x2,y2`, each from 0 to 1. §9.5.1.2.
    private static func region(_ text: String) throws(HTTPFailure) -> Region {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { decimal(String($0)) ?? -1 }
        guard parts.count == 4, parts.allSatisfy({ (0...1).contains($0) }), parts[0] < parts[2], parts[1] < parts[3]
        else {
            throw HTTPFailure(
                .malformed, "region is left,top,right,bottom: numbers from 0 to 1, the first two the smaller ones")
        }
        return Region(left: parts[0], top: parts[1], right: parts[2], bottom: parts[3])
    }

    private static func decimal(_ text: String) -> Double? {
        let isPlain = text.utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }
        guard isPlain, (1...32).contains(text.utf8.count), let value = Double(text), value.isFinite else { return nil }
        return value
    }

    /// The query of the rendered resource that is the same picture. PS3.18 §8.3.5.
    ///
    /// - Parameters:
    ///   - imageColumns: of the image, whatever its header says.
    ///   - imageRows: likewise.
    func rendered(columns imageColumns: Int, rows imageRows: Int) -> String {
        var parts: [String] = []
        if rows != nil || columns != nil || region != nil {
            var region = region ?? Region(left: 0, top: 0, right: 1, bottom: 1)
            region.right -= region.left
            region.bottom -= region.top
            let sides = [
                region.left * Double(imageColumns), region.top * Double(imageRows),
                region.right * Double(imageColumns), region.bottom * Double(imageRows),
            ]
            // A picture whose sides nobody names has those of the region.
            func side(_ named: Int?, _ other: Int?, _ own: Double) -> Int {
                named
                    ?? (other == nil ? Int(min(Double(Viewport.sideMax), max(1, own.rounded(.up)))) : Viewport.sideMax)
            }
            let width = side(columns, rows, sides[2])
            let height = side(rows, columns, sides[3])
            let texts = self.region == nil ? [] : sides.map { String($0) }
            parts.append("viewport=" + ([String(width), String(height)] + texts).joined(separator: ","))
        }
        // The plus of an exponent is itself in these queries.
        if let window { parts.append("window=\(window.center),\(window.width),linear") }
        if let imageQuality { parts.append("quality=\(imageQuality)") }
        if let annotation { parts.append("annotation=\(PercentCoding.encoded(annotation))") }
        return parts.joined(separator: "&")
    }
}
