"""Short invented news in eight languages, for the analyser's speed: a language's name, its code and the text."""

from __future__ import annotations

from typing import Final

SAMPLES: Final = {
    "English": (
        "en",
        """\
The harbour authority said on Monday that ferries between the two islands would resume before the
end of the week, after engineers had inspected the damaged pier. “We’re not taking any chances,”
its director, J. R. Whitlow, told reporters; the U.S. Coast Guard lent two divers.

Storms had closed the crossing for eleven days. Shops on the smaller island ran short of fresh food,
and a school moved its lessons on-line. North Korea’s envoy, who had been on a private visit, was
among those who could not leave.

Insurers put the damage at 3.5 million dollars. The council meets again on 14 May to decide who will
pay.""",
    ),
    "Korean": (
        "ko",
        """\
항만 당국은 월요일 기술자들이 파손된 부두를 점검한 뒤 이번 주 안에 두 섬 사이의 여객선 운항을 다시
시작하겠다고 밝혔다. “위험을 감수하지 않겠다”고 책임자는 기자들에게 말했다.

폭풍으로 뱃길은 열하루 동안 끊겼다. 작은 섬의 가게에서는 신선한 식품이 모자랐고 학교는 수업을
온라인으로 옮겼다. 북한의 특사도 섬에서 나오지 못한 사람들 가운데 있었다.

보험사들은 피해액을 350만 달러로 추산했다. 누가 부담할지는 의회가 5월 14일에 다시 모여 정한다.""",
    ),
    "Russian": (
        "ru",
        """\
Портовое управление сообщило в понедельник, что паромы между двумя островами снова пойдут до конца
недели, после того как инженеры осмотрят повреждённый причал. «Мы не хотим рисковать», — сказал
журналистам его директор.

Из-за штормов переправа была закрыта одиннадцать дней. В магазинах меньшего острова не хватало
свежих продуктов, а школа перевела уроки в интернет. Среди тех, кто не мог уехать, был и посланник
КНДР.

Страховщики оценили ущерб в 3,5 миллиона долларов. Совет соберётся снова 14 мая и решит, кто
заплатит.""",
    ),
    "Chinese": (
        "zh",
        """\
港务局星期一表示，工程师检查受损码头之后，两个岛屿之间的渡轮将在本周内恢复航行。局长对记者说：“我们不
会冒险。”

暴风雨使航线中断了十一天。小岛上的商店缺少新鲜食品，学校把课程搬到了网上。正在私人访问的朝鲜特使也无
法离开。

保险公司估计损失为350万美元。议会将于5月14日再次开会，决定由谁支付费用。""",
    ),
    "Japanese": (
        "ja",
        """\
港湾局は月曜日、技術者が損傷した桟橋を点検したあと、二つの島を結ぶフェリーの運航を今週中に再開すると
発表した。「危険は冒さない」と局長は記者団に語った。

嵐のため航路は十一日間閉ざされた。小さい島の店では生鮮食品が不足し、学校は授業をオンラインに移した。
私的な訪問中だった北朝鮮の特使も島を離れることができなかった。

保険会社は被害額を350万ドルと見積もっている。議会は5月14日に再び集まり、誰が負担するかを決める。""",
    ),
    "German": (
        "de",
        """\
Die Hafenbehörde teilte am Montag mit, dass die Fähren zwischen den beiden Inseln noch vor Ende der
Woche wieder fahren, nachdem Ingenieure den beschädigten Anleger geprüft haben. „Wir gehen kein
Risiko ein“, sagte ihr Leiter.

Wegen der Stürme war die Überfahrt elf Tage lang gesperrt. In den Läden der kleineren Insel wurden
frische Lebensmittel knapp, eine Schule verlegte den Unterricht ins Netz. Auch ein Gesandter
Nordkoreas saß fest.

Die Versicherer schätzen den Schaden auf 3,5 Millionen Dollar. Wer zahlt, entscheidet der Rat am 14.
Mai.""",
    ),
    "French": (
        "fr",
        """\
L’autorité portuaire a annoncé lundi que les ferries entre les deux îles reprendraient avant la fin
de la semaine, une fois l’embarcadère endommagé inspecté par des ingénieurs. « Nous ne prenons
aucun risque », a dit son chef.

Les tempêtes avaient fermé la traversée pendant onze jours. Les magasins de la petite île manquaient
de produits frais, et une école a donné ses cours en ligne. Un émissaire nord-coréen était aussi
bloqué.

Les assureurs estiment les dégâts à 3,5 millions de dollars. Le conseil décidera le 14 mai qui doit
payer.""",
    ),
    "Arabic": (
        "ar",
        """\
أعلنت سلطة الميناء يوم الاثنين أن العبّارات بين الجزيرتين ستعود إلى العمل قبل نهاية الأسبوع، بعد أن
يفحص المهندسون الرصيف المتضرر. وقال مديرها للصحفيين: «لن نخاطر».

كانت العواصف قد أغلقت المعبر أحد عشر يوماً. ونقصت الأغذية الطازجة في متاجر الجزيرة الصغيرة، ونقلت
مدرسة دروسها إلى الإنترنت. وكان مبعوث كوريا الشمالية بين من لم يتمكنوا من المغادرة.

وقدّرت شركات التأمين الأضرار بنحو 3.5 مليون دولار. ويجتمع المجلس في 14 مايو ليقرر من سيدفع.""",
    ),
}
