"""Words that the tables of endings would take for others, and irregular forms, for `inflection`: data. Folded when read."""

from __future__ import annotations

from bot.text import fold

_KEEP = {
    "de": """
        news williams roberts jones davis edwards adams
        aachen abends alle amt amte andreas anfangs angeles art arte aufs außen baden bau baue bauen bayern bei bein belgien bereits blut blüte
        bremen bus china dann den denn diese diesen dresden eben ehe eher eine eis eise erlangen essen euch europas fall falle falls fast faste
        fasten franken fürs garte garten gas gasse gegen gestern göttingen greis griechenland gut güte hafen hagen halt halte halten hamas hamburg
        hannover hans hass hasse hessen heute ihn ihnen ihre immer indien innen italien japan jene jens johannes jonas kahn keine klaus kram krame
        küche land lars leben links los lose lösen lukas mach mache machen macht mage magen main maine mais maise mal malen man mann markus maß maße
        matthias meine meistens morgen morgens münchen nachts neben neue neun nichts nikolaus nord norde norwegen not oben ost oste ostern paris
        pfingsten polen pommern portugal preußen prozess rad rade rase rasen rat rechts red rege regen reise reus reuters russland sachsen schloss
        schlosse schwaben schweden see seine seit seiten sieben sieg siegen solingen spanien stand stande standen süd süde syrien teils texas thomas
        tobias ton töne tot tote tübingen ungarn unten viele waage wage wahl wal wale wann war ware waren warum weg wegen weihnachten wenn west weste
        westfalen wien zehn zeuge zug zürich zwischen
    """,
    "en": """
        algiers andrews collins daniels dallas dardanelles edwards hawkins higgins himalayas jenkins lagos laos marseilles matthews michaels orleans
        perkins peters phillips richards rogers samuels sanders seychelles simmons stevens walters
        abacus abbas across adams ahmad ahmed alias always anything arkansas as athens athletics atlas bahamas barracks beading bed beijing being
        belarus belongings besides bias bleed blues boeing bonus bowling breed bring brooks brussels building bus campus cannes canvas ceiling
        census christmas circus citrus cling clothes corbyn corps corpus creed crossroads cummings customs cyprus damascus darling davis deed dies
        does downing dressing duckling during earnings economics emirates evening everything exceed farthing fed feed flemish fling focus fungus
        gates gazette genius goes goods hamas hamed has hastings headquarters hermes herring his honduras http https hughes hundred icing indeed
        irving is isis iss its james jeans jesus jobs jones kansas kindred king las led lemming lens lies lightning lotus lupus maldives manning
        mars maths means meeting mercedes mohammed morning muhammed mumbai naked nantes naples need netherlands news nothing olympics osiris outing
        pancreas paris perhaps philippines physics pies plus politics proceed proceedings pudding reading red ries ring rivers roberts sacred saeed
        sales sayed seed seoul series shed sheffield shilling sibling sing something species speed spring status sterling sting stocking string
        succeed surroundings swing texas thanks thing this thus ties united us venus versailles viking virus wales was waters wedding weed wicked
        williams wing woods yes
    """,
    "es": """
        news williams roberts jones davis edwards adams
        además aires ajedrez análisis andes antes arequipa arkansas as atlas atrás bahamas buenos bus campus caos caracas carlos cortés cosmos
        crisis cumpleaños danés des después dios dosis elías énfasis entonces es escocés estados estrés filipinas francés gas génesis hamas
        hipótesis holandés honduras inglés interés irlandés jamás japonés jesús josías jueves kansas las les libanés los lucas lunes maldivas
        malvinas marcos martes mas matías mediodías menos mes misas nicolás nos nuestros oasis pais paraguas paris pompas portugués pues quizás ras
        revés tesis texas tomás tos tras través vez viernes virus vos
    """,
    "fr": """
        crimée livrée lignée foulée donnée données guinée montée levée poussée équipée tournée traversée volée plongée percée destinée veillée huée
        gelée purée poupée épée mosquée athée vendée judée galilée érythrée menée news williams
        accès affreux ailleurs allée alpes ananas anglais année antilles après ardennes armée arras arrivée as athenes bas beauvais bois bras
        bruxelles bus cactus calais campus cannes cas ces charles chaussée choix cieux cinés comores concours congolais congrès corée corps cours
        creux croix damas dangereux dans décès denis depuis dès désormais dessous dessus deux dictée discours divers doux durée émirats entrée
        envers époux excès express fée fils flandres fois frais francais francois fusée georges gilles gros hamas hélas heureux idée irlandais
        jacques jaloux jamais japonais jésus jeudis journée landes les libanais lilas louis lycée lyonnais mai maïs maldives malouines marais marée
        mars marseillais matinée mauvais mes mieux moins mois musée nantes naples nicolas noix nombreux nos os ours paix palais parcours paris pas
        pays pays-bas pensée pervers philippines plus poids poitiers portée portugais près presse presses prix proces progrès puis pyrénées
        randonnée recours reims rentrée repas roux sans secours sénégalais sérieux ses seychelles soirée soudanais sous succes suis temps terminus
        tes texas thomas toujours tournée travers très trois trophée tunis univers vallée velours vers versailles vieux virus voix vos vosges yeux
        yves
    """,
    "id": """
        meninggal menteri merdeka mengapa mengenai mengungkap melainkan mereka meskipun mendadak diri dinding dinas
    """,
    "it": """
        fame pesce salute sete colle luce pace voce croce fede sede neve nave legge arte morte notte carne pane cane rete valle pelle presente
        interesse ordine funzione immagine indice termine genere efficace news
        analisi ante anzi assisi auto berlusconi bonino bossi brindisi cipro città coma conte conti così crisi dieci diocesi dodici domani dopo
        draghi drone duca esse essi fama ferrari fini forse foto giovedì grillo hamas ieri ipotesi julia letta lina londra loro lunedì mare mari
        marta martedì mattei mense menta mente mercoledì monti moto napoli noi oasi oggi ogni pace parigi prima prodi pure qualsiasi quasi quindici
        radio renzi rimini roma rome salvini sedici sicilia sintesi tesi tredici troia tunisi undici venerdì venti voi
    """,
    "pt": """
        news williams roberts jones davis edwards adams
        além antes arroz atlas atrás através bahamas bônus campinas campus caos chinês crise crises depois deus dois elias férias filipinas francês
        gás goiás grátis hamas holandês honduras inglês interesses invés irlandês jamais japonês jesus kansas lápis lisboa lucas mais malvinas
        marcos mas mes minas oásis óculos ônibus pais parabéns paris pêsames português simples texas tomás três virus
    """,
    "ru": """
        азов александров алексеев андреев антонов борисов васильев иванов игнатов киев львов максимов михайлов николаев павлов петров псков романов
        ростов саратов семенов сергеев тамбов тимофеев федоров харьков чехов
    """,
    "tr": """
        kanun beyin basın altın koyun boyun besin kesin üstün sayın yayın yazın kalın derin gelin hatta posta hasta şeytan çanta kimya yorgun takım
        adana adeta afrika alanya almanya amasya amerika ankara antalya aralık asya avrupa başka bela belki birlikte bursa çorum çünkü dair denizli
        diyarbakır doğrudan dünya elbette eskiden eskişehir gerçekten hatay haziran hollanda için içinde içine ilişkin irlanda ispanya kadı kanada
        kapı kara karşı karşın kasım kayseri kendi kendim kendime kendimi kendinden kendine kendini kırşehir konya kütahya libya londra malatya mali
        manisa mardin martin merkel moskova muğla mutlaka nevşehir nisan ocak önceden onlar onun ordu para paris rize roma rusya sakarya sanki sara
        şimdi şimdiden sıra sivas sizin sonradan suriye tabii tokat türkiye üzere üzerinde üzerinden üzerine viyana yara yeniden
    """,
    "uk": """
        лев
    """,
}
#: a form : the words it is a form of, "" for none
_IRREGULAR = {
    "cs": """
        lidé:člověk lidí:člověk lidem:člověk lidmi:člověk děti:dítě dětí:dítě dětem:dítě dětmi:dítě válek:válka ruce:ruka rukou:ruka oči:oko očí:oko
        přátelé:přítel přátel:přítel dny:den dne:den dní:den dnů:den
    """,
    "de": """
        waren:ware firmen:firma themen:thema museen:museum visen:visum daten:datum konten:konto risiken:risiko zentren:zentrum stadien:stadion
        medien:medium villen:villa dramen:drama kriterien:kriterium ministerien:ministerium gremien:gremium studien:studie/studium krisen:krise
        parks:park autos:auto busse:bus bussen:bus zeugnisse:zeugnis ereignisse:ereignis ergebnisse:ergebnis verhältnisse:verhältnis
        geheimnisse:geheimnis bündnisse:bündnis gefängnisse:gefängnis gefängnissen:gefängnis lehrerinnen:lehrerin
    """,
    "en": """
        men:man women:woman children:child people: feet:foot teeth:tooth struck:strike stricken:strike wives:wife knives:knife lives:life/live
        leaves:leaf/leave thieves:thief wolves:wolf shelves:shelf halves:half crises:crisis bases:base/basis analyses:analysis hypotheses:hypothesis
        viruses:virus buses:bus gases:gas campuses:campus shot:shoot fought:fight killed:kill won:win lost:lose stole:steal stolen:steal broke:break
        broken:break fell:fall fallen:fall rose:rise risen:rise grew:grow grown:grow held:hold said:say told:tell sold:sell bought:buy caught:catch
        sank:sink sunk:sink flew:fly flown:fly shook:shake taken:take took:take given:give gave:give wrote:write written:write drove:drive
        driven:drive fled:flee dying:die died:die dies:die lying:lie tying:tie tied:tie ties:tie lied:lie series: strikes:strike cases:case
        refugees:refugee policies:policy movies:movie universes:universe diseases:disease houses:house hostages:hostage bed: menus:menu
        focuses:focus nazis:nazi taxis:taxi selves:self militaries:military began:begin begun:begin met:meet led:lead kept:keep spoke:speak
        spoken:speak built:build sent:send spent:spend lent:lend bent:bend meant:mean went:go gone:go came:come became:become ran:run saw:see
        seen:see knew:know known:know found:find made:make paid:pay laid:lay brought:bring thought:think taught:teach sought:seek heard:hear
        left:leave felt:feel dealt:deal slept:sleep swept:sweep wept:weep crept:creep leapt:leap shown:show drew:draw drawn:draw threw:throw
        thrown:throw blew:blow blown:blow withdrew:withdraw withdrawn:withdraw overthrew:overthrow overthrown:overthrow chose:choose chosen:choose
        froze:freeze frozen:freeze wore:wear worn:wear tore:tear torn:tear swore:swear sworn:swear bore:bear hid:hide hidden:hide rode:ride
        ridden:ride bit:bite bitten:bite ate:eat eaten:eat forgot:forget forgotten:forget forgave:forgive forgiven:forgive got:get gotten:get
        stood:stand understood:understand sat:sit lit:light dug:dig hung:hang swung:swing stuck:stick stung:sting sprang:spring sprung:spring
        sang:sing sung:sing swam:swim swum:swim drank:drink drunk:drink shrank:shrink shrunk:shrink bound:bind wound:wind fed:feed bled:bleed
        bred:breed sped:speed slid:slide burnt:burn learnt:learn spilt:spill spoilt:spoil dreamt:dream rebuilt:rebuild overcame:overcome
        undertook:undertake undertaken:undertake mistaken:mistake arose:arise arisen:arise awoke:awake woke:wake woken:wake wove:weave woven:weave
        mice:mouse geese:goose oxen:ox lice:louse media:medium data:datum criteria:criterion phenomena:phenomenon bacteria:bacterium alumni:alumnus
        nuclei:nucleus diagnoses:diagnosis oases:oasis theses:thesis axes:axe/axis vertices:vertex indices:index appendices:appendix matrices:matrix
        calves:calf loaves:loaf scarves:scarf elves:elf hooves:hoof wharves:wharf ourselves:ourself themselves:themself gentlemen:gentleman
        policemen:policeman firemen:fireman fishermen:fisherman businessmen:businessman businesswomen:businesswoman congressmen:congressman
        spokesmen:spokesman gunmen:gunman chairmen:chairman salesmen:salesman servicemen:serviceman veterans:veteran grandchildren:grandchild
        schoolchildren:schoolchild quizzes:quiz statuses:status bonuses:bonus censuses:census circuses:circus choruses:chorus corpses:corpse
        glasses:glass classes:class losses:loss crosses:cross bosses:boss crashes:crash clashes:clash bushes:bush torches:torch churches:church
        speeches:speech watches:watch branches:branch breaches:breach beaches:beach coaches:coach marches:march matches:match launches:launch
        taxes:tax boxes:box foxes:fox mixes:mix heroes:hero potatoes:potato tomatoes:tomato echoes:echo volcanoes:volcano torpedoes:torpedo
        vetoes:veto cargoes:cargo mosquitoes:mosquito shoes:shoe canoes:canoe toes:toe foes:foe woes:woe aches:ache headaches:headache caches:cache
        axing:axe
    """,
    "es": """
        jóvenes:joven exámenes:examen imágenes:imagen orígenes:origen órdenes:orden crímenes:crimen márgenes:margen volúmenes:volumen
        regímenes:régimen vida:vida vidas:vida nada:nada comidas:comida salidas:salida caídas:caída medida:medida medidas:medida llegada:llegada
        llegadas:llegada entrada:entrada entradas:entrada mirada:mirada armada:armada armadas:armada embajada:embajada embajadas:embajada
        década:década décadas:década jornada:jornada jornadas:jornada temporada:temporada temporadas:temporada granada:granada granadas:granada
        bebida:bebida bebidas:bebida partida:partida partidas:partida herida:herido heridas:herida/herido ida:ida florida:florida nevada:nevada
        cada:cada toda:todo todas:todo madrugada:madrugada madrugadas:madrugada fachada:fachada fachadas:fachada espada:espada espadas:espada
        portada:portada portadas:portada manada:manada manadas:manada bancada:bancada bancadas:bancada
    """,
    "fi": """
        ohjus:ohjuks ohjukset:ohjuks ohjuksia:ohjuks ohjuksen:ohjuks helsingissä:helsinki helsingin:helsinki helsingistä:helsinki
        helsinkiin:helsinki helsingiltä:helsinki helsingille:helsinki
    """,
    "fr": """
        feux:feu yeux:oeil jeux:jeu vœux:vœu travaux:travail vitraux:vitrail coraux:corail baux:bail émaux:émail armées:armée années:année
        journées:journée fusées:fusée idées:idée musées:musée entrées:entrée vallées:vallée marées:marée cieux:ciel bijoux:bijou genoux:genou
        choux:chou trous:trou pneus:pneu bleus:bleu landaus:landau bals:bal festivals:festival carnavals:carnaval récitals:récital
    """,
    "it": """
        uomini:uomo mani:mano dita:dito uova:uovo braccia:braccio armi:arma ali:ala dèi:dio dei:dei buoi:bue templi:tempio ossa:osso mura:muro
        ginocchia:ginocchio labbra:labbro ciglia:ciglio paia:paio centinaia:centinaio migliaia:migliaio miglia:miglio figlie:figlia mogli:moglie
        entrata:entrata entrate:entrata armata:armata armate:armata/armato giornata:giornata giornate:giornata strada:strada data:data date:data
        rata:rata rate:rata vita:vita vite:vita uscita:uscita uscite:uscita partita:partita partite:partita salita:salita ferita:ferita/ferito
        ferite:ferita/ferito seduta:seduta sedute:seduta caduta:caduta cadute:caduta valuta:valuta valute:valuta bevuta:bevuta chiesa:chiesa
        chiese:chiesa difesa:difesa difese:difesa spesa:spesa spese:spesa intesa:intesa intese:intesa offesa:offesa offese:offesa impresa:impresa
        imprese:impresa ripresa:ripresa sorpresa:sorpresa sorprese:sorpresa attesa:attesa presa:presa ascesa:ascesa discesa:discesa ondata:ondata
        ondate:ondata giunta:giunta squadra:squadra pisa:pisa visita:visita visite:visita crescita:crescita nascita:nascita perdita:perdita
        perdite:perdita vendita:vendita vendite:vendita rivista:rivista riviste:rivista vista:vista lista:lista liste:lista pista:pista piste:pista
        festa:festa feste:festa
    """,
    "nl": """
        steden:stad schepen:schip leden:lid kinderen:kind eieren:ei volkeren:volk volken:volk wegen:weg dagen:dag daken:dak vaten:vat glazen:glas
        bladeren:blad bevelen:bevel gebeden:gebed goden:god holen:hol koeien:koe lammeren:lam liederen:lied oorlogen:oorlog paden:pad raderen:rad
        sloten:slot spelen:spel verdragen:verdrag gaten:gat musea:museum media:medium
    """,
    "pl": """
        ludzie:człowiek ludzi:człowiek ludziom:człowiek ludźmi:człowiek ludziach:człowiek dzieci:dziecko dzieciom:dziecko dziećmi:dziecko mieście:miasto lata:rok
        lat:rok latach:rok wojen:wojna bracia:brat braci:brat księża:ksiądz księży:ksiądz ręce:ręka rąk:ręka rękami:ręka oczy:oko oczu:oko uszy:ucho
        świecie:świat obiedzie:obiad sąsiedzi:sąsiad sąsiadów:sąsiad
    """,
    "pt": """
        vida:vida vidas:vida nada:nada entrada:entrada entradas:entrada saída:saída saídas:saída medida:medida medidas:medida década:década
        décadas:década temporada:temporada temporadas:temporada chegada:chegada camada:camada camadas:camada estrada:estrada estradas:estrada
        granada:granada granadas:granada embaixada:embaixada embaixadas:embaixada madrugada:madrugada comida:comida bebida:bebida bebidas:bebida
        partida:partida partidas:partida corrida:corrida corridas:corrida armada:armada jornada:jornada jornadas:jornada espada:espada
        avenida:avenida avenidas:avenida dúvida:dúvida dúvidas:dúvida torcida:torcida bancada:bancada bancadas:bancada mãos:mão irmãos:irmão
        cidadãos:cidadão órgãos:órgão cristãos:cristão grãos:grão cidadãs:cidadã
    """,
    "ro": """
        război:războ războaie:războ războaiele:războ războiul:războ războiului:războ războaielor:războ oameni:om oamenii:om oamenilor:om copii:copil
        copiii:copil copiilor:copil
    """,
    "ru": """
        люди:человек людей:человек людям:человек людьми:человек людях:человек дети:ребенок детей:ребенок детям:ребенок детьми:ребенок детях:ребенок
        сша:сша деньги:деньги денег:деньги друзья:друг друзей:друг друзьям:друг друзьями:друг друзьях:друг братья:брат братьев:брат сыновья:сын
        сыновей:сын матери:мать матерью:мать матерей:мать дочери:дочь дочерью:дочь дочерей:дочь
    """,
    "sv": """
        män:man männen:man kvinnor:kvinna kvinnorna:kvinna städer:stad städerna:stad länder:land länderna:land händer:hand bröder:bror söner:son
        barn:barn barnen:barn böcker:bok
    """,
    "uk": """
        люди:людина людей:людина людям:людина людьми:людина людях:людина діти:дитина дітей:дитина дітям:дитина дітьми:дитина бої:бій боїв:бій бою:бій боєм:бій боям:бій боями:бій боях:бій воєн:війна гроші:гроші
        грошей:гроші друзі:друг друзів:друг друзям:друг
    """,
}


def _irregular(text: str) -> dict[str, tuple[str, ...]]:
    pairs = (fold(item).split(":") for item in text.split())
    return {form: tuple(base for base in bases.split("/") if base not in {"", form}) for form, bases in pairs}


#: words that only look inflected, by language
KEEP = {language: frozenset(fold(text).split()) for language, text in _KEEP.items()}
#: irregular form → the words it is a form of, by language
IRREGULAR = {language: _irregular(text) for language, text in _IRREGULAR.items()}
