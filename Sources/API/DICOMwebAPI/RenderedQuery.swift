import DICOMRendering
import HTTPSupport

/// The parameters of a request for pictures. Each at most once; parameters that are not of this list are passed over.
/// PS3.18 §8.3.5.
struct RenderedQuery: Sendable, Equatable {
    var viewport: Viewport?
    var window: VOIWindow?
    /// Of JPEG, 1...100.
    var quality: Int?
    /// Which colours the picture is to be of, and say so.
    var colours = Colours.untold
    /// What is written into the corners of pictures.
    var annotations: [CornerText.Kind] = []

    /// `iccprofile`. §8.3.5.1.5.
    enum Colours: Sendable, Equatable {
        /// The image's, without a profile.
        case untold
        /// The image's, with its own profile, or that of sRGB where it has none.
        case own
        /// Converted, with a profile of that space.
        case converted(OutputColourSpace)

        /// nil where nothing is converted.
        var space: OutputColourSpace? {
            guard case .converted(let space) = self else { return nil }
            return space
        }

        init?(_ text: String) {
            switch text {
            case "no": self = .untold
            case "yes": self = .own
            default:
                guard let space = OutputColourSpace(rawValue: text) else { return nil }
                self = .converted(space)
            }
        }
    }

    init() {}

    /// Throws `.malformed` for a value that is not of the parameter's grammar or range.
    ///
    /// - Parameter isThumbnail: only the two sides of `viewport` are taken, and the other parameters passed over.
    init(_ query: QueryParameters, isThumbnail: Bool = false) throws(HTTPFailure) {
        if let text = try Self.single("viewport", query) {
            viewport = try Self.viewport(text, sidesOnly: isThumbnail)
        }
        if isThumbnail { return }
        if let text = try Self.single("window", query) { window = try Self.window(text) }
        if let text = try Self.single("quality", query) {
            guard let value = Self.unsigned(text), (1...100).contains(value) else {
                throw HTTPFailure(.malformed, "quality is a whole number from 1 to 100")
            }
            quality = value
        }
        if let text = try Self.single("annotation", query) {
            for word in text.split(separator: ",", omittingEmptySubsequences: false) {
                guard let kind = CornerText.Kind(rawValue: String(word)) else {
                    throw HTTPFailure(.malformed, "annotation is a list of: patient, technique")
                }
                if !annotations.contains(kind) { annotations.append(kind) }
            }
        }
        if let text = try Self.single("iccprofile", query) {
            guard let colours = Colours(text) else {
                let spaces = OutputColourSpace.allCases.map(\.rawValue).joined(separator: ", ")
                throw HTTPFailure(.malformed, "iccprofile is one of: no, yes, \(spaces)")
            }
            self.colours = colours
        }
    }

    /// What a client is told who wants annotations on a report or a document; nil for none. §8.3.5.1.1, §8.4.
    var warning: String? {
        annotations.isEmpty
            ? nil
            : "annotations are drawn on pictures alone: " + annotations.map(\.rawValue).joined(separator: ", ")
    }

    private static func single(_ name: String, _ query: QueryParameters) throws(HTTPFailure) -> String? {
        let values = query.values(name)
        guard values.count <= 1 else { throw HTTPFailure(.malformed, "\(name) is given more than once") }
        return values.first
    }

    /// `vw,vh` and, each optional, `sx,sy,sw,sh`. §8.3.5.1.3.
    private static func viewport(_ text: String, sidesOnly: Bool) throws(HTTPFailure) -> Viewport {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let failure = HTTPFailure(
            .malformed,
            sidesOnly
                ? "viewport of a thumbnail is width,height: whole numbers from 1 to \(Viewport.sideMax)"
                : "viewport is vw,vh or vw,vh,sx,sy,sw,sh: sides from 1 to \(Viewport.sideMax), then the region in pixels"
        )
        guard (2...(sidesOnly ? 2 : 6)).contains(parts.count), let width = unsigned(parts[0]),
            let height = unsigned(parts[1])
        else { throw failure }
        var region = Viewport.Region()
        func number(_ index: Int) throws(HTTPFailure) -> Double? {
            guard parts.count > index, !parts[index].isEmpty else { return nil }
            guard let value = decimal(parts[index]) else { throw failure }
            return value
        }
        region.x = try number(2) ?? 0
        region.y = try number(3) ?? 0
        // A negative side turns the picture over.
        if let width = try number(4) {
            region.width = width.magnitude
            region.flipsHorizontally = width < 0
        }
        if let height = try number(5) {
            region.height = height.magnitude
            region.flipsVertically = height < 0
        }
        guard let viewport = Viewport(width: width, height: height, region: region) else { throw failure }
        return viewport
    }

    /// `center,width,shape`. §8.3.5.1.4.
    private static func window(_ text: String) throws(HTTPFailure) -> VOIWindow {
        let shapes: [String: VOIWindow.Function] = [
            "linear": .linear, "linear-exact": .linearExact, "sigmoid": .sigmoid,
        ]
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let center = decimal(parts[0]), let width = decimal(parts[1]),
            let function = shapes[parts[2]]
        else {
            throw HTTPFailure(
                .malformed, "window is center,width,shape: two numbers, and linear, linear-exact or sigmoid")
        }
        guard let window = VOIWindow(center: center, width: width, function: function) else {
            throw HTTPFailure(.malformed, "the width of a window is more than 0, and 1 or more for linear")
        }
        return window
    }

    private static func unsigned(_ text: String) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } && text.utf8.count <= 9 ? Int(text) : nil
    }

    /// A decimal number, with an exponent or without; not the other words that a number can be.
    private static func decimal(_ text: String) -> Double? {
        let isPlain = text.utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }
        guard isPlain, text.utf8.count <= 32, let value = Double(text), value.isFinite else { return nil }
        return value
    }
}
