import DICOMData

/// What of an image is covered: everything outside of the shapes. PS3.3 §C.7.6.11, §C.7.6.15.
struct DisplayShutter: Sendable {
    /// More vertices are not looked at.
    static let verticesMax = 1_024

    private enum Shape: Sendable {
        /// The first and last columns and rows that are seen, from 1.
        case rectangle(left: Double, right: Double, upper: Double, lower: Double)
        case circle(row: Double, column: Double, radius: Double)
        case polygon([(row: Double, column: Double)])
    }

    private let shapes: [Shape]
    /// The overlay group that covers where it has a 1; nil for none.
    let overlayGroup: UInt16?
    /// What is seen instead: 0 for black to 255.
    let grey: UInt8

    /// The shutter of a data set, or an item of it; nil for none. Shapes without their numbers are left out.
    init?(_ dataSet: DataSet) {
        var shapes: [Shape] = []
        var overlayGroup: UInt16?
        // Each at most once, of the four that there are.
        var seen: Set<String> = []
        for term in dataSet.strings(.shutterShape) where seen.insert(term).inserted {
            switch term {
            case "RECTANGULAR":
                guard let left = dataSet.double(.shutterLeftVerticalEdge),
                    let right = dataSet.double(.shutterRightVerticalEdge),
                    let upper = dataSet.double(.shutterUpperHorizontalEdge),
                    let lower = dataSet.double(.shutterLowerHorizontalEdge)
                else { continue }
                shapes.append(.rectangle(left: left, right: right, upper: upper, lower: lower))
            case "CIRCULAR":
                let center = dataSet.doubles(.centerOfCircularShutter)
                guard center.count == 2, let radius = dataSet.double(.radiusOfCircularShutter) else { continue }
                shapes.append(.circle(row: center[0], column: center[1], radius: radius))
            case "POLYGONAL":
                let numbers = dataSet.doubles(.verticesOfThePolygonalShutter).prefix(2 * Self.verticesMax)
                guard numbers.count >= 6, numbers.count % 2 == 0 else { continue }
                shapes.append(
                    .polygon(
                        stride(from: 0, to: numbers.count, by: 2).map { (row: numbers[$0], column: numbers[$0 + 1]) }))
            case "BITMAP":
                overlayGroup = dataSet.int(.shutterOverlayGroup).flatMap { UInt16(exactly: $0) }
            default: continue
            }
        }
        guard !shapes.isEmpty || overlayGroup != nil else { return nil }
        self.shapes = shapes
        self.overlayGroup = overlayGroup
        let value = max(0, min(0xFFFF, dataSet.int(.shutterPresentationValue) ?? 0))
        let lab = dataSet.ints(.shutterPresentationColor)
        // A colour is shown by its luminance.
        grey =
            !dataSet.contains(.shutterPresentationValue) && lab.count == 3
            ? PresentationColour(lightness: lab[0], a: lab[1], b: lab[2]).grey : UInt8(truncatingIfNeeded: value >> 8)
    }

    /// Covers what lies outside of any shape.
    ///
    /// - Parameters:
    ///   - part: what of the frame the picture is.
    ///   - rows: of the whole image, which may have been decoded smaller.
    ///   - aspect: height of a pixel by its width; a circle's radius counts columns.
    func cover(_ image: inout RenderedImage, _ part: FramePart, rows: Int, columns: Int, aspect: Double) {
        guard !shapes.isEmpty else { return }
        let (down, across) = (Double(rows) / Double(part.rows), Double(columns) / Double(part.columns))
        for row in 0..<image.rows {
            let y = (Double(row + part.top) + 0.5) * down + 0.5
            let spans = shapes.map { Self.spans($0, y, aspect) }
            // The spans of a shape lie one behind another: those that are passed are not looked at again.
            var first = [Int](repeating: 0, count: spans.count)
            for column in 0..<image.columns {
                let x = (Double(column + part.left) + 0.5) * across + 0.5
                var isSeen = true
                for (shape, spans) in spans.enumerated() {
                    while first[shape] < spans.count, spans[first[shape]].1 < x { first[shape] += 1 }
                    isSeen = isSeen && first[shape] < spans.count && spans[first[shape]].0 <= x
                }
                if isSeen { continue }
                let at = (row * image.columns + column) * image.samplesPerPixel
                for sample in 0..<image.samplesPerPixel { image.bytes[at + sample] = grey }
            }
        }
    }

    /// From where to where a row is seen.
    private static func spans(_ shape: Shape, _ y: Double, _ aspect: Double) -> [(Double, Double)] {
        switch shape {
        case .rectangle(let left, let right, let upper, let lower):
            return upper <= y && y <= lower ? [(left, right)] : []
        case .circle(let row, let column, let radius):
            let distance = (y - row) * aspect
            let half = radius * radius - distance * distance
            return half >= 0 ? [(column - half.squareRoot(), column + half.squareRoot())] : []
        case .polygon(let vertices):
            var crossings: [Double] = []
            for index in vertices.indices {
                let (a, b) = (vertices[index], vertices[(index + 1) % vertices.count])
                guard (a.row <= y) != (b.row <= y) else { continue }
                crossings.append(a.column + (y - a.row) / (b.row - a.row) * (b.column - a.column))
            }
            crossings.sort()
            return stride(from: 0, to: crossings.count - 1, by: 2).map { (crossings[$0], crossings[$0 + 1]) }
        }
    }
}
