"""What is not to be read: foreign writing, fine print, logos, text-like textures, and things in the way."""

import random
from collections.abc import Sequence

import cv2
import numpy as np

from text_spotting.fonts import Face, Mask, draws, find_faces
from text_spotting.synth.compose import Canvas
from text_spotting.synth.hanging import SpotOptions, find_spot
from text_spotting.synth.layout import Block, block, single
from text_spotting.synth.pixels import mean_color
from text_spotting.synth.places import person
from text_spotting.synth.render import Pose, size_for
from text_spotting.synth.signs import plain_style, put_board
from text_spotting.synth.style import Color
from text_spotting.synth.texts import TextSource
from text_spotting.synth.texture import Textures
from text_spotting.words import FloatArray, Image

_SCRIPTS = {
    "zh-cn": (
        "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种"
        "面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本"
        "去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比"
        "或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总"
        "次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做"
        "必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权"
        "收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信"
        "马节话米整空元况今集温传土许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连"
        "断深难近矿千周委素技备半办青省列习响约支般史感劳便团往酸历市克何除消构府称太准精值号率族维划选标写存"
        "候毛亲快效斯院查江型眼王按格养易置派层片始却专状育厂京识适属圆包火住调满县局照参红细引听该铁价严"
    ),
    "ko": (
        "가나다라마바사아자차카타파하고노도로모보소오조초코토포호구누두루무부수우주추쿠투푸후그느드르므브스으"
        "즈츠크트프흐기니디리미비시이지치키티피히한국어학교서울부산대문시장역"
    ),
    "ar": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "hi": "अआइईउऊएऐओऔकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह",
    "th": "กขคงจฉชซญดตถทธนบปผฝพฟมยรลวศสหอฮ",
    "ta": "அஆஇஈஉஊஎஏஐஒஓகஙசஞடணதநபமயரலவழளறன",
    "ru": "БГДЁЖЗИЙЛПУФЦЧШЩЪЫЬЭЮЯбгджзийлпфцчшщъыьэюя",
}
_LOGOS = "★☆●■▲▼◆♥♦♣♠☎✂✈✉✓✔✖✚✦✪✿❄❖➔➤☀☁☂☺♫♻⚠"


def foreign(
    rng: random.Random, canvas: Canvas, amount: float, faces: Sequence[Face], roll: float, texts: TextSource, read: str
) -> None:
    """Add writing that is a don't care: scripts with no character among ``read``, logos, fine print."""
    if rng.random() < 0.35 * amount:
        for _ in range(rng.randint(1, 3)):
            _put(rng, canvas, _foreign_block(rng, read), rng.uniform(10, 50), roll)
    if rng.random() < 0.25 * amount:
        _put(rng, canvas, _logo(rng, faces), rng.uniform(14, 60), roll)
    if rng.random() < 0.4 * amount:
        for _ in range(rng.randint(1, 2)):
            _put(rng, canvas, _fine_print(rng, faces, texts), rng.uniform(3, 5.5), roll)


def _foreign_block(rng: random.Random, read: str) -> Block | None:
    foreign_scripts = [name for name, letters in _SCRIPTS.items() if not set(letters) & set(read)]
    if not foreign_scripts:
        return None
    language = rng.choice(foreign_scripts)
    faces = find_faces(language=language)
    if not faces:
        return None
    face = rng.choice(faces)
    text = "".join(rng.choices(_SCRIPTS[language], k=rng.randint(2, 6)))
    return single(face, 64, text) if draws(face, text) else None


def _logo(rng: random.Random, faces: Sequence[Face]) -> Block | None:
    face, sign = rng.choice(faces), rng.choice(_LOGOS)
    return single(face, 64, sign) if draws(face, sign) else None


def _fine_print(rng: random.Random, faces: Sequence[Face], texts: TextSource) -> Block | None:
    lines = [texts.line(rng, rng.randint(2, 5)) for _ in range(rng.randint(1, 5))]
    return block(rng, rng.choice(faces), size_for(8), lines)


def _put(rng: random.Random, canvas: Canvas, laid: Block | None, height: float, roll: float) -> None:
    if laid is None:
        return
    spot = find_spot(rng, canvas, laid, SpotOptions(height, min(3.0, height), 0.3, roll, on_walls=1.0))
    if spot is not None:
        canvas.write(laid, spot.corners, plain_style(rng, canvas, spot.corners, spot.height), readable=False)
        canvas.reserve(spot.frame)


def behind(rng: random.Random, canvas: Canvas, amount: float, textures: Textures) -> None:
    """Add what looks like text to a careless eye but is none, and empty boards: no labels come from these."""
    if rng.random() < 0.4 * amount:
        for _ in range(rng.randint(1, 3)):
            corners = _area(rng, canvas)
            if corners is not None:
                rng.choice((_strokes, _bars, _lattice))(rng, canvas, corners)
                canvas.reserve(corners)
    if rng.random() < 0.2 * amount:
        corners = _area(rng, canvas)
        if corners is not None:
            put_board(rng, canvas, corners, rng.uniform(8, 30), textures)


def _area(rng: random.Random, canvas: Canvas) -> FloatArray | None:
    width, height = rng.uniform(0.05, 0.3) * canvas.width, rng.uniform(0.04, 0.2) * canvas.height
    return canvas.find_place(rng, Pose(angle=rng.gauss(0, 4), turn=rng.gauss(0, 0.1)).corners(width, height))


def _off(rng: random.Random, region: Image) -> Color:
    """A grey-ish color that shows against a region."""
    shift = rng.choice((-1, 1)) * rng.uniform(30, 110)
    blue, green, red = (min(255.0, max(0.0, channel + shift + rng.gauss(0, 8))) for channel in mean_color(region))
    return blue, green, red


def _strokes(rng: random.Random, canvas: Canvas, corners: FloatArray) -> None:
    """Rows of short random strokes."""
    x1, y1, x2, y2 = canvas.bounds(corners)
    size = max(4, round((y2 - y1) / rng.randint(1, 4)))
    color = _off(rng, canvas.image[y1:y2, x1:x2])
    thick = max(1, size // 8)
    for y in range(y1, y2 - size, size + size // 2):
        for x in range(x1, x2 - size, size):
            for _ in range(rng.randint(1, 2)):
                ends = [(x + rng.randrange(size), y + rng.randrange(size)) for _ in range(2)]
                cv2.line(canvas.image, ends[0], ends[1], color, thick, cv2.LINE_AA)


def _bars(rng: random.Random, canvas: Canvas, corners: FloatArray) -> None:
    """A bar code, a radiator, a grille."""
    x1, y1, x2, y2 = canvas.bounds(corners)
    color = _off(rng, canvas.image[y1:y2, x1:x2])
    x = float(x1)
    step = rng.uniform(3, 9)
    uneven = rng.random() < 0.5
    while x < x2 - 2:
        width = step * (rng.uniform(0.2, 0.9) if uneven else 0.45)
        cv2.rectangle(canvas.image, (round(x), y1), (round(x + width), y2), color, -1)
        x += step


def _lattice(rng: random.Random, canvas: Canvas, corners: FloatArray) -> None:
    """Windows of a far building, a keypad, a vent: a regular grid of small boxes."""
    x1, y1, x2, y2 = canvas.bounds(corners)
    color = _off(rng, canvas.image[y1:y2, x1:x2])
    wide, tall = rng.randint(3, 12), rng.randint(4, 14)
    for y in range(y1, y2 - tall, round(tall * 1.6)):
        for x in range(x1, x2 - wide, round(wide * 1.7)):
            cv2.rectangle(canvas.image, (x, y), (x + wide, y + tall), color, -1 if wide % 2 else 1)


def in_front(rng: random.Random, canvas: Canvas, amount: float, textures: Textures) -> None:
    """Put poles, leaves and passers-by before the scene; words that they hide lose their ink."""
    if rng.random() > 0.25 * amount:
        return
    if rng.random() < 0.3:
        mask = person(rng, canvas.image, canvas.height * rng.uniform(0.4, 1.3))
        canvas.cover(mask > 0, (0, 0, canvas.width, canvas.height))
        return
    for _ in range(rng.randint(1, 3)):
        mask = _pole(rng, canvas) if rng.random() < 0.5 else _leaves(rng, canvas)
        x1, y1, w, h = cv2.boundingRect(mask)
        if w < 2 or h < 2:
            continue
        part = mask[y1 : y1 + h, x1 : x1 + w]
        region = canvas.image[y1 : y1 + h, x1 : x1 + w]
        filling = textures.patch(rng, w, h).astype(np.float32)
        region[:] = region + (filling - region) * (part[..., None] / np.float32(255))
        canvas.cover(part > 127, (x1, y1, x1 + w, y1 + h))


def _pole(rng: random.Random, canvas: Canvas) -> Mask:
    mask = np.zeros((canvas.height, canvas.width), np.uint8)
    x, lean = rng.randrange(canvas.width), rng.gauss(0, 30)
    thick = max(2, round(canvas.width * rng.uniform(0.005, 0.03)))
    cv2.line(mask, (x, 0), (round(x + lean), canvas.height), 255, thick, cv2.LINE_AA)
    return mask


def _leaves(rng: random.Random, canvas: Canvas) -> Mask:
    mask = np.zeros((canvas.height, canvas.width), np.uint8)
    x, y = rng.randrange(canvas.width), rng.randrange(canvas.height)
    for _ in range(rng.randint(3, 12)):
        axes = (rng.randint(3, max(4, canvas.width // 24)), rng.randint(3, max(4, canvas.height // 16)))
        spot = (round(x + rng.gauss(0, 20)), round(y + rng.gauss(0, 20)))
        cv2.ellipse(mask, spot, axes, rng.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA)
    return mask
