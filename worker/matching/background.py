"""How common a word is in news at large, so that the first twenty articles of a day are weighed as well as the last.

Decides which words are left out, which count little, and which language a text of Latin letters is in. The lists are
our own, written down in round figures: what the window has shown soon outweighs them. Pure; `stories_reading` and
`stories` call it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from worker.matching.folding import fold
from worker.matching.inflection import stem

_FUNCTION: Final[Mapping[str, str]] = {
    "en": """
        a about above across after against all almost along already also although always am among an and another any are
        around as at away back be because been before being below between both but by can could did do does doing down
        due during each either else even ever every few for from further get gets getting go goes going gone got had has
        have having he her here hers him his how however i if in including into is it its itself just less like made
        make makes making many may me might more most much must my near never no nor not now of off often on once one
        only onto or other others our out over own per put rather said same saw say saying says see seen several shall
        she should since so some still such take taken takes taking than that the their them then there these they
        thing this those though through to too took toward towards under until up upon us very via was way we well went
        were what when where whether which while who whom whose why will with within without would yet you your don't
        didn't isn't won't can't mr mrs ms according told added called latest update updates live breaking exclusive
        watch video photos read monday tuesday wednesday thursday friday
        saturday sunday january february april june july august september october november december jan feb mar apr jun
        jul aug sep sept oct nov dec today yesterday tomorrow post appeared click subscribe newsletter sign email getty
        images reuters afp ap associated copyright reserved continue reading full story comments related here
        """,
    "de": """
        der die das den dem des ein eine einen einem einer eines und oder aber auch als am an auf aus bei bis durch für
        gegen hat haben hatte ihr ihre im in ist kein keine mehr mit nach nicht noch nur ob ohne sein seine sich sie er
        es sind so soll über um unter vom von vor war waren was wenn werden wie wird wurde wurden zu zum zur zwischen
        dass man kann nun schon seit damit dabei dann hier sagte teilte mit sei habe
        """,
    "fr": """
        le la les l un une des de du d et ou mais au aux à en dans par pour sur sous avec sans ce cet cette ces son sa
        ses leur leurs il elle ils elles on nous vous que qui quoi dont où ne pas plus est sont été être a ont avait
        avoir se si comme entre après avant depuis selon contre chez lors ainsi alors aussi très fait faire a-t-il dit
        indiqué annoncé
        """,
    "es": """
        el la los las un una unos unas de del y o pero a al en con por para sin sobre entre su sus se que quien como más
        no es son fue ser ha han había lo le les este esta estos estas ese esa tras desde hasta según contra también muy
        ya cuando donde durante dijo informó
        """,
    "it": """
        il lo la i gli le un uno una di del dello della dei degli delle e o ma a al alla ai alle in nel nella con per da
        dal dalla su sul sulla tra fra che chi non è sono ha hanno stato come più anche si suo sua dopo prima contro
        secondo
        """,
    "pt": """
        o a os as um uma uns umas de do da dos das e ou mas em no na nos nas com por para sem sobre entre que quem não é
        são foi ser tem têm como mais também se seu sua após até segundo contra já ao à pelo pela disse
        """,
    "nl": """
        de het een en of maar in op aan bij met van voor naar uit door over onder tussen tegen is zijn was waren wordt
        werd werden heeft hebben had dat die dit deze er niet geen ook nog om te als dan zich hij zij ze hun meer na
        volgens zei
        """,
    "ru": """
        и в во на не что с со а но по из у за к ко о об от до для при как это этот эта эти его её их он она они мы вы
        был была было были быть есть же ли бы так также уже ещё еще или если то том после перед между через над под без
        который которая которые которого котором сообщил сообщила сообщили заявил заявила сказал рассказал года году
        """,
    "ar": """
        في من على إلى الى عن مع هذا هذه ذلك التي الذي الذين أن ان إن كان كانت قد قال قالت بعد قبل بين خلال حول ضد كما لا
        ما لم لن هو هي هم أو ثم حتى عند غير يوم اليوم أمس
        """,
    "ko": """
        그 이 저 것 등 및 또 또한 더 수 때 중 뒤 후 전 안 못 한 할 하는 하고 하며 했다 한다 된 되는 됐다 된다 있는 있다
        없는 없다 이번 이날 오늘 어제 위해 대해 통해 따라 따르면 관련 관해 밝혔다 말했다 전했다 보도했다 설명했다 것으로
        것이 것은 것을 대한 위한 가운데 지난 오전 오후 새벽 밤 모두 다시 함께 약
        """,
    "ja": "",
    "zh": "",
}
"""Words that hold a language together and say nothing of an event, days and agencies among them, and what feeds add
("continue reading"). They also tell which language it is."""

_NEWS: Final[Mapping[float, str]] = {
    0.10: """
        year years day days week weeks month months time people government president minister country world state
        official officials report reported reports new news first last two three four five six seven eight nine ten
        morning night late early
        police leader leaders national international group city million billion percent cent u.s us united states
        american america russia russian ukraine israel israeli china chinese trump white house
        """,
    0.04: """
        march weekend hour hours
        minutes man woman men women child children family home house school party power war military army force forces
        security attack attacks killed kill kills killing dead death deaths died injured wounded hurt hit hits north
        south east west northern southern eastern western capital region area public political foreign prime parliament
        law court judge company market economy economic business bank trade price prices rate high higher low lower
        rise rises rose fall falls fell cut cuts plan plans deal talks meeting meet call calls say show shows find
        found finds set open opened opens close closed end ends ended start starts started begin began help need want
        use used work worker workers life health hospital authorities statement spokesman spokesperson spokeswoman
        chief head member members former senior local central near major big large small long old young high-level
        hundreds thousands dozens least number part place right left second third next final second-largest top key
        european europe union eu uk britain british england germany german france french japan japanese korea korean
        india indian iran iranian gaza palestinian hamas kyiv moscow washington london paris tokyo seoul beijing nato un
        nations council global crisis case cases move face faces warn warns warned pressure amid ahead announce
        announced announces accused accuse accuses accusing deny denied denies claim claims claimed agency ministry
        department office service services expect expected expects support back backs return returns leave leaves left
        hold holds held keep keeps run runs running win wins won lose loses lost lead leads led take over pass passed
        """,
    0.015: """
        missile missiles ballistic launch launched launches fire fired fires drone drones strike strikes struck bomb
        bombs bombing troops soldiers soldier rebel rebels militants ceasefire peace weapons nuclear sanctions border
        election elections vote votes voters voted voting poll polls ballot candidate candidates presidential
        parliamentary campaign coalition majority opposition seats run-off runoff senate congress lawmakers bill
        republican republicans democrat democrats mayor governor policy reform budget tax taxes spending debt inflation
        growth quarter quarterly profit profits revenue earnings forecast forecasts outlook shares stock stocks share
        investors analysts sales demand dollar oil gas energy index gained dropped rates interest benchmark basis
        points earthquake quake magnitude storm flood floods flooding rain heavy weather wind winds hurricane typhoon
        cyclone wildfire rescue rescued rescuers rescuer missing survivors victims crash crashed crashes plane aircraft
        flight flights airport train rail ship boat ferry bus car vehicle road accident emergency disaster toll
        evacuated evacuate evacuation damage damaged destroyed homes building buildings residents district province
        village town island river sea coast water trial charged charges charge arrested arrest suspect suspects guilty
        jailed prison sentenced sentence lawyer prosecutor prosecutors investigation investigators murder shooting shot
        gunman victim protest protests protesters rally demonstrators union strike wage wages pay talks agreement
        summit visit conference virus outbreak disease vaccine patients doctors study researchers scientists research
        university students student climate change environment technology tech software chip chips artificial
        intelligence internet online app data phone media social football soccer team match game season league cup
        goal goals player players coach club beat draw victory title champion championship final score scored penalty
        tournament olympic film movie music award awards star actor singer fans book king queen prince royal pope
        church religious refugees migrants migration immigration asylum aid food money funds million workers jobs job
        rights human freedom committee commission director secretary general executive ambassador diplomat relations
        ties tensions cooperation dispute demand demands order ordered decision ruling ruled law laws ban banned
        condemned condemn threat threatened threatens risk fears concern concerns hope hopes future history record
        biggest largest worst best deadliest largest-ever latest special joint emergency main massive strong powerful
        deadly possible likely unlikely fresh chipmaker firefighters rescuers negotiators rescue workers soldiers
        officials experts analysts traders divers crews delegations scores photographs seventeen twelve growing
        talks shareholders economists residents lawmakers thousands video
        """,
}
"""English news words by the share of articles whose title and lead have them, in round figures."""

_OTHERS: Final[Mapping[str, tuple[float, str]]] = {
    "ko": (
        0.03,
        """
        정부 대통령 장관 국회 위원장 위원회 경찰 검찰 법원 혐의 사건 한국 북한 미국 중국 일본 러시아 서울 지역 국내 최근
        올해 지난해 내년 오늘 전국 시장 기업 경제 사람 명이 명을 명의 억원 조원 만원 발표 결정 계획 예정 조사
        회의 논의 강조 지적 요구 촉구 우려 확인 공개 시작 진행 참석 당국 관계자 대표 의원 후보 선거 여야 정책 사업 기자
        뉴스 속보 단독
        """,
    ),
    "ru": (
        0.03,
        """
        россия россии российский украина украины сша президент правительство министр глава власти страна страны город
        области область губернатор москва москве человек люди день ночь время суд дело полиция война военные сила рублей
        долларов процентов миллионов понедельник вторник среда среду четверг пятница пятницу суббота субботу воскресенье
        """,
    ),
    "de": (
        0.03,
        """
        regierung präsident minister kanzler bundestag polizei land jahr jahre tag woche prozent millionen milliarden
        euro menschen stadt deutschland berlin usa russland ukraine montag dienstag mittwoch donnerstag freitag samstag
        sonntag sprecher angaben
        """,
    ),
    "fr": (
        0.03,
        """
        gouvernement président ministre police pays an ans année jour semaine millions milliards euros france paris
        personnes ville lundi mardi mercredi jeudi vendredi samedi dimanche état-unis ukraine russie
        """,
    ),
    "es": (
        0.03,
        """
        gobierno presidente ministro policía país año años día semana millones euros españa madrid personas ciudad lunes
        martes miércoles jueves viernes sábado domingo estados unidos
        """,
    ),
}
_PEOPLES: Final = """
    afghan afghanistan albanian albania algerian algeria american america argentine argentina armenian armenia
    australian australia austrian austria azerbaijani azerbaijan bangladeshi bangladesh belarusian belarus belgian
    belgium bolivian bolivia bolivians bolivia brazilian brazil british britain britons britain bulgarian bulgaria
    burmese myanmar cambodian cambodia canadian canada chilean chile chinese china colombian colombia congolese congo
    croatian croatia cuban cuba cypriot cyprus czech czechia danish denmark dutch netherlands ecuadorean ecuador
    egyptian egypt estonian estonia ethiopian ethiopia european europe finnish finland french france georgian georgia
    german germany ghanaian ghana greek greece guatemalan guatemala haitian haiti honduran honduras hungarian hungary
    icelandic iceland indian india indonesian indonesia iranian iran iraqi iraq irish ireland israeli israel italian
    italy jamaican jamaica japanese japan jordanian jordan kazakh kazakhstan kenyan kenya korean korea koreans korea
    kuwaiti kuwait kyrgyz kyrgyzstan latvian latvia lebanese lebanon libyan libya lithuanian lithuania malaysian
    malaysia malian mali mexican mexico moldovan moldova mongolian mongolia moroccan morocco mozambican mozambique
    nepali nepal nepalese nepal nicaraguan nicaragua nigerian nigeria norwegian norway pakistani pakistan palestinians
    palestinian peruvian peru philippine philippines filipino philippines polish poland portuguese portugal qatari
    qatar romanian romania russian russia rwandan rwanda saudi saudi scottish scotland senegalese senegal serbian
    serbia singaporean singapore slovak slovakia slovenian slovenia somali somalia spanish spain sudanese sudan swedish
    sweden swiss switzerland syrian syria taiwanese taiwan tanzanian tanzania thai thailand tibetan tibet tunisian
    tunisia turkish turkey ugandan uganda ukrainian ukraine uruguayan uruguay uzbek uzbekistan venezuelan venezuela
    vietnamese vietnam welsh wales yemeni yemen zambian zambia zimbabwean zimbabwe
"""
"""Who is of which country, in pairs: a report says "Venezuelan troops" where the next one says "Venezuela's army"."""

UNLISTED: Final = 0.002
"""The share taken for a word that is on no list: of a thousand articles, two have it."""


def _stemmed(text: str, language: str) -> Iterable[str]:
    for word in text.split():
        yield stem(word, language) or fold(word)


def _known() -> Mapping[str, float]:
    shares = dict[str, float]()
    for language, (share, text) in _OTHERS.items():
        shares.update(dict.fromkeys(_stemmed(text, language), share))
    for share, text in sorted(_NEWS.items()):
        shares.update(dict.fromkeys(_stemmed(text, "en"), share))
    return shares


def _pairs() -> Mapping[str, str]:
    stems = list(_stemmed(_PEOPLES, "en"))
    return dict(zip(stems[::2], stems[1::2], strict=True))


_COUNTRIES: Final = MappingProxyType(_pairs())
_SHARES: Final = MappingProxyType(_known())
_LISTS: Final = MappingProxyType(
    {lang: frozenset(fold(word) for word in text.split()) for lang, text in _FUNCTION.items()}
)
_LATIN: Final = ("en", "de", "fr", "es", "it", "pt", "nl")


def country(term: str) -> str:
    """Return the term of the country where a term is that of its people, else the term itself; English.

    >>> country(stem("venezuelan", "en")) == country(stem("venezuela", "en"))
    True
    """
    return _COUNTRIES.get(term, term)


def share(term: str) -> float:
    """Return in which share of all news a term is taken to stand, before any is seen.

    >>> share("polic") > share("missil") > share("antofagasta")
    True
    """
    return _SHARES.get(term, UNLISTED)


def says_nothing(key: str, language: str) -> bool:
    """Tell whether a word only holds its language together.

    >>> says_nothing("the", "en"), says_nothing("the", "ko"), says_nothing("korea", "en")
    (True, False, False)
    """
    return key in _LISTS.get(language, ())


def latin_language(keys: Iterable[str]) -> str:
    """Guess the language of a text in Latin letters by the words that hold it together; English where none stands out.

    >>> latin_language("die regierung hat am freitag mit der bahn".split()), latin_language(["lima"])
    ('de', 'en')
    """
    found = list(keys)
    return max(_LATIN, key=lambda language: sum(key in _LISTS[language] for key in found))
